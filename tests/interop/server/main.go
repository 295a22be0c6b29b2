// Command server is an asynq.Server as a process of its own, so that a test can kill it in mid-work. It serves tasks of
// type "work": see fleet_test.go.
//
//	server SOCKET QUEUE CONCURRENCY RUNS
//
// RUNS is the file to which every start of a handler adds a line.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/hibiken/asynq"
)

type payload struct {
	Milliseconds int    `json:"ms"` // how long the handler works
	End          string `json:"end"`
}

type worker struct{ runs *os.File }

func (w worker) ProcessTask(ctx context.Context, task *asynq.Task) error {
	var p payload
	if err := json.Unmarshal(task.Payload(), &p); err != nil {
		return fmt.Errorf("payload: %v: %w", err, asynq.SkipRetry)
	}
	id, _ := asynq.GetTaskID(ctx)
	retried, _ := asynq.GetRetryCount(ctx)
	if _, err := fmt.Fprintf(w.runs, "go %s %d %d\n", id, retried, time.Now().Unix()); err != nil {
		log.Fatal(err)
	}
	select {
	case <-time.After(time.Duration(p.Milliseconds) * time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case p.End == "fail once" && retried == 0:
		return fmt.Errorf("the first run fails")
	case p.End == "archive":
		return fmt.Errorf("no use: %w", asynq.SkipRetry)
	}
	_, err := task.ResultWriter().Write([]byte("go"))
	return err
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: server SOCKET QUEUE CONCURRENCY RUNS")
	}
	concurrency, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	runs, err := os.OpenFile(os.Args[4], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	server := asynq.NewServer(asynq.RedisClientOpt{Network: "unix", Addr: os.Args[1]}, asynq.Config{
		Concurrency: concurrency, Queues: map[string]int{os.Args[2]: 1}, TaskCheckInterval: 50 * time.Millisecond,
		DelayedTaskCheckInterval: time.Second,
		RetryDelayFunc:           func(int, error, *asynq.Task) time.Duration { return time.Second },
		// A task whose first run fails is expected to: only what goes wrong otherwise is worth a line.
		LogLevel: asynq.ErrorLevel,
	})
	if err := server.Run(worker{runs}); err != nil {
		log.Fatal(err)
	}
}
