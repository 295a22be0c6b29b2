/* Passwords in arguments: a process list shows them to everyone on the host. */
#ifndef MC_CLI_SCRUB_H
#define MC_CLI_SCRUB_H

/* Overwrites, in place, the password of every URL in the arguments: "redis://user:secret@host" becomes
 * "redis://user:xxxxxx@host". What needs the password must have its copy by then. */
void mc_scrub_args(int argc, char **argv);

#endif
