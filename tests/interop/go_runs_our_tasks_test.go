package interop

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// What a Go handler was told about a task.
type delivery struct {
	id, queue, kind, payload string
	maxRetry, retried        int
	headers                  map[string]string
	left                     time.Duration // until its deadline
	at                       time.Time
}

// serve runs an asynq.Server until the test ends; every task it takes comes through the channel.
func (w *world) serve(queues map[string]int) <-chan delivery {
	w.t.Helper()
	deliveries := make(chan delivery, 1000)
	w.handle(queues, func(ctx context.Context, task *asynq.Task) error {
		deliveries <- deliver(ctx, task)
		_, err := task.ResultWriter().Write([]byte("done by Go"))
		return err
	})
	return deliveries
}

// handle runs an asynq.Server with a handler until the test ends, or until it is shut down.
func (w *world) handle(queues map[string]int, handler func(context.Context, *asynq.Task) error) *asynq.Server {
	w.t.Helper()
	server := asynq.NewServer(w.redis, asynq.Config{
		Concurrency: 4, Queues: queues, LogLevel: asynq.FatalLevel, TaskCheckInterval: 50 * time.Millisecond,
		DelayedTaskCheckInterval: 200 * time.Millisecond, JanitorInterval: 200 * time.Millisecond,
		ShutdownTimeout: 100 * time.Millisecond,
	})
	if err := server.Start(asynq.HandlerFunc(handler)); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(server.Shutdown) // does nothing the second time
	return server
}

func deliver(ctx context.Context, task *asynq.Task) delivery {
	d := delivery{kind: task.Type(), payload: string(task.Payload()), headers: task.Headers(), at: time.Now()}
	d.id, _ = asynq.GetTaskID(ctx)
	d.queue, _ = asynq.GetQueueName(ctx)
	d.maxRetry, _ = asynq.GetMaxRetry(ctx)
	d.retried, _ = asynq.GetRetryCount(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		d.left = time.Until(deadline)
	}
	return d
}

func (w *world) receive(deliveries <-chan delivery) delivery {
	w.t.Helper()
	select {
	case d := <-deliveries:
		return d
	case <-time.After(20 * time.Second):
		w.t.Fatal("asynq.Server was given no task within 20 s")
		return delivery{}
	}
}

func TestGoRunsATaskThatAHandlerEnqueued(t *testing.T) {
	w := newWorld(t)
	deliveries := w.serve(map[string]int{"for-go": 1})
	w.crew("default=1", `
crew.task("parent", { perform = function(_, task)
  return assert(task:enqueue("child", { n = 1 }, { queue = "for-go", max_retry = 2 })).id
end })`)
	parent := w.info("default", w.enqueue("parent", nil, asynq.Retention(time.Hour)).ID, asynq.TaskStateCompleted,
		20*time.Second)
	got := w.receive(deliveries)
	if got.id != string(parent.Result) || got.queue != "for-go" || got.kind != "child" || got.payload != `{"n":1}` ||
		got.maxRetry != 2 {
		t.Errorf("asynq.Server was given %+v", got)
	}
}

func TestGoSeesTheSameConflicts(t *testing.T) {
	w := newWorld(t)
	w.lua(`assert(client:enqueue("t", nil, { task_id = "mine" }))`)
	_, err := w.client.Enqueue(asynq.NewTask("t", nil), asynq.TaskID("mine"))
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		t.Errorf("an id that is taken: %v", err)
	}
}

func TestGoAndCrewServeOneQueueTogether(t *testing.T) {
	w := newWorld(t)
	const count = 400
	deliveries := w.serve(map[string]int{"default": 1})
	w.crew("default=1", `crew.task("t", { perform = function() crew.sleep(0.02) return "done by Lua" end })`)
	w.until("the crew is in the list of servers", 20*time.Second, func() bool {
		servers, err := w.inspector.Servers()
		return err == nil && len(servers) == 2
	})
	for range count {
		w.enqueue("t", nil, asynq.Retention(time.Hour))
	}
	w.until("all tasks are completed", 60*time.Second, func() bool {
		queue, err := w.inspector.GetQueueInfo("default")
		return err == nil && queue.Completed == count && queue.Active == 0 && queue.Pending == 0
	})
	byLua := 0
	for page := 1; page <= 4; page++ {
		tasks, err := w.inspector.ListCompletedTasks("default", asynq.PageSize(100), asynq.Page(page))
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			if string(task.Result) == "done by Lua" {
				byLua++
			}
		}
	}
	byGo := len(deliveries)
	if byLua == 0 || byGo == 0 || byLua+byGo != count {
		t.Errorf("%d tasks: %d done by Lua, %d by Go", count, byLua, byGo)
	}
}
