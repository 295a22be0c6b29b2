/* libpq, loaded when a script first needs it: <libpq-fe.h> gives the types, mc_pq the functions. */
#ifndef MC_WORKER_LIBPQ_H
#define MC_WORKER_LIBPQ_H

#include "base/err.h"

#include <libpq-fe.h>

/* X(result, name without "PQ", parameters) */
#define MC_PQ_FUNCTIONS(X)                                                                                             \
  X(PQconninfoOption *, conninfoParse, (const char *text, char **error))                                               \
  X(void, conninfoFree, (PQconninfoOption * options))                                                                  \
  X(PGconn *, connectStartParams, (const char *const *names, const char *const *values, int expand))                   \
  X(PostgresPollingStatusType, connectPoll, (PGconn * conn))                                                           \
  X(void, finish, (PGconn * conn))                                                                                     \
  X(int, socket, (const PGconn *conn))                                                                                 \
  X(ConnStatusType, status, (const PGconn *conn))                                                                      \
  X(PGTransactionStatusType, transactionStatus, (const PGconn *conn))                                                  \
  X(char *, errorMessage, (const PGconn *conn))                                                                        \
  X(int, setnonblocking, (PGconn * conn, int on))                                                                      \
  X(PQnoticeReceiver, setNoticeReceiver, (PGconn * conn, PQnoticeReceiver receiver, void *arg))                        \
  X(int, sendQueryParams,                                                                                              \
    (PGconn * conn, const char *sql, int count, const Oid *types, const char *const *values, const int *lengths,       \
     const int *formats, int result_format))                                                                           \
  X(int, flush, (PGconn * conn))                                                                                       \
  X(int, consumeInput, (PGconn * conn))                                                                                \
  X(int, isBusy, (PGconn * conn))                                                                                      \
  X(PGresult *, getResult, (PGconn * conn))                                                                            \
  X(void, clear, (PGresult * result))                                                                                  \
  X(ExecStatusType, resultStatus, (const PGresult *result))                                                            \
  X(char *, resultErrorField, (const PGresult *result, int field))                                                     \
  X(char *, resultErrorMessage, (const PGresult *result))                                                              \
  X(int, ntuples, (const PGresult *result))                                                                            \
  X(int, nfields, (const PGresult *result))                                                                            \
  X(char *, fname, (const PGresult *result, int column))                                                               \
  X(Oid, ftype, (const PGresult *result, int column))                                                                  \
  X(int, getisnull, (const PGresult *result, int row, int column))                                                     \
  X(char *, getvalue, (const PGresult *result, int row, int column))                                                   \
  X(int, getlength, (const PGresult *result, int row, int column))                                                     \
  X(char *, cmdTuples, (PGresult * result))                                                                            \
  X(char *, cmdStatus, (PGresult * result))                                                                            \
  X(unsigned char *, unescapeBytea, (const unsigned char *text, size_t *size))                                         \
  X(PGnotify *, notifies, (PGconn * conn))                                                                             \
  X(void, freemem, (void *memory))                                                                                     \
  X(PGcancel *, getCancel, (PGconn * conn))                                                                            \
  X(int, cancel, (PGcancel * cancel, char *error, int size))                                                           \
  X(void, freeCancel, (PGcancel * cancel))

typedef struct mc_pq_functions {
#define X(result, name, parameters) result(*name) parameters;
  MC_PQ_FUNCTIONS(X)
#undef X
} mc_pq_functions;

extern mc_pq_functions mc_pq; /* usable once mc_pq_load has succeeded */

/* Loads libpq, once per process. MC_EUNAVAILABLE with the package that is missing. */
int mc_pq_load(mc_err *err);

#endif
