//go:build tools

// asynq's own command line, a module without releases: this one holds its version, so that the suite builds the same
// program everywhere.
package cli

import _ "github.com/hibiken/asynq/tools/asynq"
