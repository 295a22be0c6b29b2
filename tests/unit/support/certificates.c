/* A throw-away certificate authority: see certificates.h. */
#include "certificates.h"

#include <stdio.h>
#include <stdlib.h>

static const char script[] =
    "set -e; cd %s; exec 2>log; "
    "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'; "
    "sign() { openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days $2 -extfile $3.cnf "
    "-out $4.pem; }; "
    "echo subjectAltName=IP:127.0.0.1,DNS:localhost >here.cnf; echo subjectAltName=DNS:other.example >other.cnf; "
    "openssl req -x509 $key -days 2 -subj /CN=throw-away -keyout ca.key -out ca.pem; "
    "openssl req -x509 $key -days 2 -subj /CN=stranger -keyout stranger.key -out stranger.pem; "
    "openssl req $key -subj /CN=server -keyout server.key -out server.csr; "
    "openssl req $key -subj /CN=client -keyout client.key -out client.csr; "
    "sign server 2 here server; sign server 2 other wrong; sign server -1 here expired; sign client 2 other client; "
    "openssl req -x509 -key server.key -days 2 -subj /CN=self -addext subjectAltName=IP:127.0.0.1 -out self.pem; "
    "openssl pkey -in client.key -aes128 -passout pass:secret -out locked.key; cat client.pem client.key >both.pem";

static void run(const char *command) {
  if (system(command) == 0)
    return;
  fprintf(stderr, "certificates: this failed: %s\n", command);
  exit(2);
}

void certificates_make(certificates *made) {
  char command[sizeof script + sizeof made->folder];
  snprintf(made->folder, sizeof made->folder, "/tmp/mooncrew-test-XXXXXX");
  if (!mkdtemp(made->folder)) {
    perror("certificates: cannot make a temporary folder");
    exit(2);
  }
  snprintf(command, sizeof command, script, made->folder);
  run(command);
}

void certificates_remove(const certificates *made) {
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", made->folder);
  run(command);
}
