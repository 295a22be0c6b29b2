package interop

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// A crew's janitor and the limits it keeps, where Go works on the same queue.

func TestACrewsJanitorDeletesWhatGoCompleted(t *testing.T) {
	w := newWorld(t)
	// Go's own janitor runs every 8 s unless told otherwise, and must not be the one: its server is stopped before.
	server := asynq.NewServer(w.redis, asynq.Config{Concurrency: 1, LogLevel: asynq.FatalLevel})
	err := server.Start(asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		_, err := task.ResultWriter().Write([]byte("kept"))
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	brief := w.enqueue("done", nil, asynq.Retention(2*time.Second)).ID
	long := w.enqueue("done", nil, asynq.Retention(time.Hour)).ID
	w.until("Go has done both", 20*time.Second, func() bool { return w.queue("default").ProcessedTotal == 2 })
	server.Shutdown()
	w.crew("default=1", movesScript)
	w.gone("default", brief, 30*time.Second)
	w.info("default", long, asynq.TaskStateCompleted, time.Second)
	if q := w.queue("default"); q.Size != 1 || q.Completed != 1 {
		t.Errorf("%+v", q)
	}
}

func TestALimitOfACrewCountsWhatGoWorksOn(t *testing.T) {
	w := newWorld(t)
	w.lua(`assert(client:limit("default", { concurrency = 5 }))`)
	w.handle(defaultQueue, func(ctx context.Context, _ *asynq.Task) error { <-ctx.Done(); return ctx.Err() })
	for range 4 { // as many as the Go server takes
		w.enqueue("long", nil)
	}
	active := func(count int) {
		t.Helper()
		w.until("tasks are active", 20*time.Second, func() bool { return w.queue("default").Active == count })
	}
	active(4)
	for range 5 {
		w.enqueue("long", nil)
	}
	w.crew("default=1,other=1", movesScript)
	active(5)
	// What it does for another queue gives the crew the time to take what it must not.
	id := w.enqueue("result", nil, asynq.Queue("other"), asynq.ProcessIn(time.Second), asynq.Retention(time.Hour)).ID
	w.info("other", id, asynq.TaskStateCompleted, 20*time.Second)
	if q := w.queue("default"); q.Active != 5 || q.Pending != 4 {
		t.Errorf("%+v", q)
	}
	w.lua(`assert(client:limit("default", { concurrency = 7 }))`)
	active(7)
	w.lua(`assert(client:limit("default", { concurrency = false }))`)
	active(9)
}
