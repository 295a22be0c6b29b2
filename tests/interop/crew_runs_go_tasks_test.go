package interop

import (
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

func TestCrewFreesAUniqueLockOfTheGoClient(t *testing.T) {
	w := newWorld(t)
	payload := []byte(`{"username":"ada"}`)
	info := w.enqueue("see", payload, asynq.Unique(time.Hour), asynq.Retention(time.Hour))
	if _, err := w.client.Enqueue(asynq.NewTask("see", payload), asynq.Unique(time.Hour)); !errors.Is(err, asynq.ErrDuplicateTask) {
		t.Fatalf("a second one: %v", err)
	}
	w.crew("default=1", seeScript)
	w.info("default", info.ID, asynq.TaskStateCompleted, 20*time.Second)
	w.enqueue("see", payload, asynq.Unique(time.Hour), asynq.Retention(time.Hour))
}

func TestUniqueHoldsBetweenGoAndLua(t *testing.T) {
	w := newWorld(t)
	w.enqueue("t", []byte(`{"a":1,"b":[]}`), asynq.Unique(time.Hour))
	code := w.lua(`print(select(3, client:enqueue("t", { b = json.array {}, a = 1 }, { unique = "1h" })))`)
	if code != "DUPLICATE_TASK" {
		t.Errorf("Lua after Go: %q", code)
	}
	w.lua(`assert(client:enqueue("t", { n = 2 }, { unique = "1h" }))`)
	_, err := w.client.Enqueue(asynq.NewTask("t", []byte(`{"n":2}`)), asynq.Unique(time.Hour))
	if !errors.Is(err, asynq.ErrDuplicateTask) {
		t.Errorf("Go after Lua: %v", err)
	}
}

func TestFailuresOfACrewReadLikeAsynqs(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", `
crew.task("fail", { perform = function() error("no such user") end })
crew.task("typed", { payload = crew.schema.object { n = crew.schema.integer {} }, perform = function() end })`)
	retried := w.info("default", w.enqueue("fail", nil).ID, asynq.TaskStateRetry, 20*time.Second)
	if retried.Retried != 1 || time.Since(retried.LastFailedAt) > time.Minute || retried.NextProcessAt.Before(time.Now()) {
		t.Errorf("after a failure: %+v", retried)
	}
	archived := w.info("default", w.enqueue("fail", nil, asynq.MaxRetry(0)).ID, asynq.TaskStateArchived, 20*time.Second)
	if archived.LastErr == "" {
		t.Errorf("the archive keeps no reason")
	}
	invalid := w.info("default", w.enqueue("typed", []byte(`{"n":"x"}`)).ID, asynq.TaskStateArchived, 20*time.Second)
	if invalid.LastErr != "payload.n: expected integer, got string" || invalid.Retried != 0 {
		t.Errorf("an invalid payload: %q, retried %d", invalid.LastErr, invalid.Retried)
	}
	queue, err := w.inspector.GetQueueInfo("default")
	if err != nil {
		t.Fatal(err)
	}
	if queue.Archived != 2 || queue.Retry != 1 || queue.Failed != 3 || queue.Active != 0 {
		t.Errorf("the queue: %+v", queue)
	}
}
