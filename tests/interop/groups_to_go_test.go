package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// Groups that mooncrew's clients and handlers fill, folded by an asynq.Server.

// A folded task lists the payloads it was made of.
func fold(_ string, tasks []*asynq.Task) *asynq.Task {
	all := make([]json.RawMessage, len(tasks))
	for i, task := range tasks {
		all[i] = task.Payload()
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return asynq.NewTask("folded", text, asynq.Retention(time.Hour))
}

// foldInGo runs an asynq.Server that folds groups until the test ends, and gives the tasks that came of it.
func (w *world) foldInGo(config asynq.Config) <-chan delivery {
	w.t.Helper()
	deliveries := make(chan delivery, 1000)
	config.Concurrency, config.LogLevel, config.TaskCheckInterval = 4, asynq.FatalLevel, 50*time.Millisecond
	config.GroupAggregator = asynq.GroupAggregatorFunc(fold)
	server := asynq.NewServer(w.redis, config)
	if err := server.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		deliveries <- deliver(ctx, task)
		return nil
	})); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(server.Shutdown)
	return deliveries
}

// numbers reads what a folded task was made of: payloads {"n": …}.
func numbers(t *testing.T, payload string) []int {
	t.Helper()
	var items []struct{ N int }
	if err := json.Unmarshal([]byte(payload), &items); err != nil {
		t.Fatalf("%q: %v", payload, err)
	}
	var all []int
	for _, item := range items {
		all = append(all, item.N)
	}
	slices.Sort(all)
	return all
}

func TestGoFoldsAGroupThatACrewFilled(t *testing.T) {
	w := newWorld(t)
	w.crew("parents=1", `
crew.task("parent", { perform = function(payload)
  assert(crew.enqueue("part", { n = payload.n }, { group = "ada" }))
end })`)
	w.lua(`assert(client:enqueue("part", { n = 1 }, { group = "ada" }))`)
	w.c("part", `{"n":2}`, "group=ada")
	w.lua(`assert(client:enqueue("parent", { n = 3 }, { queue = "parents" }))`)
	w.lua(`assert(client:enqueue("part", { n = 9 }, { group = "other" }))`)
	w.until("all wait in their groups", 20*time.Second, func() bool { return w.queue("default").Aggregating == 4 })
	groups, err := w.inspector.Groups("default")
	if err != nil || len(groups) != 2 {
		t.Errorf("groups: %+v, %v", groups, err)
	}
	deliveries := w.foldInGo(asynq.Config{GroupGracePeriod: time.Second, GroupMaxSize: 3})
	var got []string
	for range 2 {
		d := w.receive(deliveries)
		got = append(got, fmt.Sprint(d.kind, " ", d.queue, " ", numbers(t, d.payload)))
	}
	slices.Sort(got)
	if want := "[folded default [1 2 3] folded default [9]]"; fmt.Sprint(got) != want {
		t.Errorf("Go was given %v, not %s", got, want)
	}
	w.until("nothing is left", 20*time.Second, func() bool {
		q := w.queue("default")
		return q.Size == 2 && q.Completed == 2 && q.Groups == 0
	})
	w.atRest("default")
}
