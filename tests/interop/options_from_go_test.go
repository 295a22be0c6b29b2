package interop

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// Every option of asynq's client, as a handler in Lua sees it. (Groups have their own tests.)

type seen struct {
	ID       string            `json:"id"`
	Queue    string            `json:"queue"`
	Type     string            `json:"type"`
	MaxRetry int               `json:"max_retry"`
	Retried  int               `json:"retried"`
	Headers  map[string]string `json:"headers"`
	Payload  string            `json:"payload"` // in hexadecimal
	Started  int64             `json:"started"`
	Left     float64           `json:"left"` // seconds until the deadline
}

const seeScript = `
crew.task("see", { payload = "raw", perform = function(payload, task)
  local hexadecimal = payload:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  return { id = task.id, queue = task.queue, type = task.type, max_retry = task.max_retry, retried = task.retried,
    headers = task.headers, payload = hexadecimal, started = os.time(), left = task.deadline - os.time() }
end })`

type goCase struct {
	name     string
	payload  []byte
	headers  map[string]string
	options  []asynq.Option
	queue    string
	maxRetry int
	left     time.Duration
}

// What differs from asynq's defaults is named.
func goCases(now time.Time) []goCase {
	cases := []goCase{
		{name: "defaults"},
		{name: "no payload", payload: []byte{}},
		{name: "any bytes", payload: []byte("\x00\xff\n any")},
		{name: "queue", options: []asynq.Option{asynq.Queue("critical")}, queue: "critical"},
		{name: "max retry", options: []asynq.Option{asynq.MaxRetry(3)}, maxRetry: 3},
		{name: "task id", options: []asynq.Option{asynq.TaskID("my id/ü")}},
		{name: "timeout", options: []asynq.Option{asynq.Timeout(90 * time.Second)}, left: 90 * time.Second},
		{name: "deadline", options: []asynq.Option{asynq.Deadline(now.Add(10 * time.Minute))}, left: 10 * time.Minute},
		{name: "timeout before deadline", left: time.Minute,
			options: []asynq.Option{asynq.Timeout(time.Minute), asynq.Deadline(now.Add(time.Hour))}},
		{name: "deadline before timeout", left: 10 * time.Minute,
			options: []asynq.Option{asynq.Timeout(time.Hour), asynq.Deadline(now.Add(10 * time.Minute))}},
		{name: "unique", options: []asynq.Option{asynq.Unique(time.Hour)}},
		{name: "process in", options: []asynq.Option{asynq.ProcessIn(time.Second)}},
		{name: "process at", options: []asynq.Option{asynq.ProcessAt(now.Add(2 * time.Second))}},
		{name: "headers", headers: map[string]string{"trace": "abc", "empty": "", "ü": "é"}},
	}
	for i := range cases {
		c := &cases[i]
		if c.payload == nil {
			c.payload = []byte(c.name)
		}
		if c.queue == "" {
			c.queue = "default"
		}
		if c.maxRetry == 0 {
			c.maxRetry = 25
		}
		if c.left == 0 {
			c.left = 30 * time.Minute
		}
	}
	cases = append(cases, goCase{name: "no retry", payload: []byte("no retry"), queue: "default", left: 30 * time.Minute,
		options: []asynq.Option{asynq.MaxRetry(0)}})
	return cases
}

func TestACrewSeesEveryOptionOfTheGoClient(t *testing.T) {
	w := newWorld(t)
	w.crew("critical=6,default=3", seeScript)
	cases := goCases(time.Now())
	infos := make([]*asynq.TaskInfo, len(cases))
	for i, c := range cases {
		task := asynq.NewTaskWithHeaders("see", c.payload, c.headers, asynq.Retention(time.Hour))
		var err error
		if infos[i], err = w.client.Enqueue(task, c.options...); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	for i, c := range cases {
		w.checkSeen(c, infos[i])
	}
}

func (w *world) checkSeen(c goCase, info *asynq.TaskInfo) {
	w.t.Helper()
	done := w.info(c.queue, info.ID, asynq.TaskStateCompleted, 20*time.Second)
	var got seen
	if err := json.Unmarshal(done.Result, &got); err != nil {
		w.t.Fatalf("%s: result %q: %v", c.name, done.Result, err)
	}
	checkLeft(w.t, c.name, time.Duration(got.Left*float64(time.Second)), c.left)
	if due := info.NextProcessAt.Unix(); info.State == asynq.TaskStateScheduled && got.Started < due {
		w.t.Errorf("%s: due at %d, it started at %d", c.name, due, got.Started)
	}
	want := seen{ID: info.ID, Queue: c.queue, Type: "see", MaxRetry: c.maxRetry, Headers: c.headers,
		Payload: hex.EncodeToString(c.payload), Started: got.Started, Left: got.Left}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("%s: the handler saw %+v, not %+v", c.name, got, want)
	}
	if done.Retention != time.Hour || time.Since(done.CompletedAt) > time.Minute || done.Retried != 0 || done.LastErr != "" {
		w.t.Errorf("%s: at the end %+v", c.name, done)
	}
}

// A second more for clocks that are read as whole seconds, half a minute less for a slow machine.
func checkLeft(t *testing.T, name string, got, want time.Duration) {
	t.Helper()
	if got > want+time.Second || got < want-30*time.Second {
		t.Errorf("%s: %v are left until the deadline, not %v", name, got, want)
	}
}
