package interop

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// What the handler saw, as it gives it back.
const seeScript = `
crew.task("see", { perform = function(payload, task)
  return { id = task.id, queue = task.queue, type = task.type, max_retry = task.max_retry, retried = task.retried,
    deadline = task.deadline, header = task.headers.trace, payload = payload, started = os.time() }
end })`

type seen struct {
	ID       string            `json:"id"`
	Queue    string            `json:"queue"`
	Type     string            `json:"type"`
	MaxRetry int               `json:"max_retry"`
	Retried  int               `json:"retried"`
	Header   string            `json:"header"`
	Payload  map[string]string `json:"payload"`
	Started  int64             `json:"started"`
}

func TestCrewRunsATaskOfTheGoClientWithItsOptions(t *testing.T) {
	w := newWorld(t)
	w.crew("critical=6,default=3", seeScript)
	task := asynq.NewTaskWithHeaders("see", []byte(`{"username":"ada"}`), map[string]string{"trace": "abc"})
	asked := time.Now()
	info, err := w.client.Enqueue(task, asynq.Queue("critical"), asynq.MaxRetry(7), asynq.ProcessIn(2*time.Second),
		asynq.Retention(time.Hour), asynq.Timeout(20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if info.State != asynq.TaskStateScheduled {
		t.Fatalf("the task is %v at first, not scheduled", info.State)
	}

	done := w.info("critical", info.ID, asynq.TaskStateCompleted, 20*time.Second)
	var got seen
	if err := json.Unmarshal(done.Result, &got); err != nil {
		t.Fatalf("result %q: %v", done.Result, err)
	}
	want := seen{ID: info.ID, Queue: "critical", Type: "see", MaxRetry: 7, Header: "abc", Started: got.Started}
	if got.Payload["username"] != "ada" {
		t.Errorf("payload: %v", got.Payload)
	}
	got.Payload = nil
	if !equalJSON(got, want) {
		t.Errorf("the handler saw %+v, not %+v", got, want)
	}
	if got.Started < asked.Add(2*time.Second).Unix() {
		t.Errorf("it started at %d, enqueued at %d to run 2 s later", got.Started, asked.Unix())
	}
	if done.Retried != 0 || done.LastErr != "" {
		t.Errorf("retried %d, error %q", done.Retried, done.LastErr)
	}
	if age := time.Since(done.CompletedAt); age < 0 || age > time.Minute {
		t.Errorf("completed at %v", done.CompletedAt)
	}
	if done.Retention != time.Hour {
		t.Errorf("retention %v", done.Retention)
	}
}

func equalJSON(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

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
