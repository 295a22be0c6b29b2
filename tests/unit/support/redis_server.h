/* A private redis-server for one test: on a unix socket in a folder of its own, with nothing on disk unless asked for.
 *
 * It is this process' child and dies with it. Whatever goes wrong here ends the test program with a text that says
 * what.
 */
#ifndef MC_TESTS_REDIS_SERVER_H
#define MC_TESTS_REDIS_SERVER_H

typedef struct redis_server redis_server;

/* Starts one and returns when it accepts connections. extra: more arguments, NULL at the end; NULL for none.
 * They are copied. */
redis_server *redis_server_start(const char *const *extra);

/* "redis+unix:///…/redis.sock?db=0", and the path in it; they live as long as the server. */
const char *redis_server_url(const redis_server *server);
const char *redis_server_socket(const redis_server *server);

/* Ends the process, by SIGTERM or SIGKILL, and waits for its end. The folder stays, so that it can be started again. */
void redis_server_halt(redis_server *server);
void redis_server_kill(redis_server *server);
void redis_server_resume(redis_server *server);

/* Stops and continues the process, which keeps its connections: nothing is answered meanwhile. */
void redis_server_freeze(redis_server *server);
void redis_server_thaw(redis_server *server);

/* Halts it if it runs, removes its folder, and frees. */
void redis_server_stop(redis_server *server);

/* One command over a connection of its own, words parted by spaces, percent signs as for printf. The answer as text:
 * strings and errors as they are, integers in digits, "(nil)", and for an array its number of items. It stands in a
 * buffer that the next call overwrites. */
const char *redis_server_ask(redis_server *server, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A tcp port of 127.0.0.1 that nobody uses at the moment. */
int redis_server_free_port(void);

#endif
