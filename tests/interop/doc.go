// Package interop checks mooncrew against the real asynq: tasks, states, results and servers of one are read and run by
// the other, on the same Redis. `make interop` runs it.
package interop
