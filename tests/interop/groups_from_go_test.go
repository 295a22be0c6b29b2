package interop

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Groups that asynq's client fills, folded by a crew; and groups that both sides fold.

// The folded task says by its result what it was made of, as a list of numbers.
const foldGoScript = `
crew.aggregate {
  group = "ada*", grace_period = %q, max_size = %d, type = "folded",
  fold = function(payloads)
    local parts = {}
    for i, payload in ipairs(payloads) do parts[i] = { n = payload.n } end
    return crew.array(parts), { retention = "1h" }
  end,
}
crew.task("folded", { perform = function(payload) return payload end })`

func (w *world) part(group string, n int, options ...asynq.Option) *asynq.TaskInfo {
	w.t.Helper()
	return w.enqueue("part", []byte(`{"n":`+strconv.Itoa(n)+`}`), append(options, asynq.Group(group))...)
}

func TestACrewFoldsAGroupOfTheGoClient(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", fmt.Sprintf(foldGoScript, "1s", 3))
	for n := 1; n <= 3; n++ {
		w.part("ada", n)
	}
	w.part("ada/2", 9, asynq.Unique(time.Hour))
	w.until("both groups are folded and done", 20*time.Second, func() bool { return w.queue("default").Completed == 2 })
	tasks, err := w.inspector.ListCompletedTasks("default")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, task := range tasks {
		got = append(got, fmt.Sprint(task.Type, " ", task.Retention, " ", numbers(t, string(task.Result))))
	}
	slices.Sort(got)
	if want := "[folded 1h0m0s [1 2 3] folded 1h0m0s [9]]"; fmt.Sprint(got) != want {
		t.Errorf("folded into %v, not %s", got, want)
	}
	q := w.queue("default")
	if q.Size != 2 || q.Groups != 0 || q.Aggregating != 0 {
		t.Errorf("the queue: %+v", q)
	}
	w.atRest("default")
	if sets, err := w.raw.ZCard(ctx, "asynq:{default}:aggregation_sets").Result(); err != nil || sets != 0 {
		t.Errorf("%d aggregation sets are left, %v", sets, err)
	}
	if locks := w.locks("default"); len(locks) > 0 { // asynq's own fold leaves them
		t.Errorf("locks that are left: %v", locks)
	}
}

// asynq's client writes the lock of a task of a group into its message alone.
func TestTheLockOfATaskOfAGroupGoesWithIt(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 4; n++ {
		w.enqueue("part", []byte(`{"n":`+strconv.Itoa(n)+`}`), asynq.Group("eve"), asynq.Unique(time.Hour),
			asynq.TaskID(strconv.Itoa(n)))
	}
	w.lua(`
assert(client:update_payload("default", "1", "new"))
assert(client:delete_task("default", "2"))`)
	if locks := w.locks("default"); len(locks) != 3 || locks["part:22af645d1859cb5ca6da0c484f1f37ea"] != "1" {
		t.Errorf("locks after an update and a deletion: %v", locks)
	}
	w.lua(`assert(client:delete_tasks("default", "aggregating", { group = "eve" }))`)
	if locks := w.locks("default"); len(locks) > 0 {
		t.Errorf("locks that are left: %v", locks)
	}
}

func TestACrewWaitsForTheGracePeriodOfAGroup(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1", fmt.Sprintf(foldGoScript, "3s", 100))
	asked := time.Now()
	w.part("ada", 1)
	w.until("the group is folded and done", 20*time.Second, func() bool { return w.queue("default").Completed == 1 })
	if took := time.Since(asked); took < 2*time.Second { // scores are whole seconds
		t.Errorf("it was folded after %v", took)
	}
}

// A set that a Go server had begun to fold when it was killed: its tasks go back to their group, and a crew folds them.
func TestACrewReclaimsAStaleSetOfGo(t *testing.T) {
	w := newWorld(t)
	id := w.part("ada", 1).ID
	prefix := "asynq:{default}:"
	set := prefix + "g:ada:0f7e4a4c-3c5f-4b5b-9a43-0d3f6f7f1f10"
	pipe := w.raw.TxPipeline()
	pipe.ZRem(ctx, prefix+"g:ada", id)
	pipe.SRem(ctx, prefix+"groups", "ada")
	pipe.ZAdd(ctx, set, z(time.Now().Add(-3*time.Minute), id))
	pipe.ZAdd(ctx, prefix+"aggregation_sets", z(time.Now().Add(-time.Minute), set)) // its deadline is over
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	w.crew("default=1", fmt.Sprintf(foldGoScript, "1s", 100))
	// Duties for stale sets run once a minute at most.
	w.until("the set is folded and done", 100*time.Second, func() bool { return w.queue("default").Completed == 1 })
	tasks, err := w.inspector.ListCompletedTasks("default")
	if err != nil || fmt.Sprint(numbers(t, string(tasks[0].Result))) != "[1]" {
		t.Errorf("%+v, %v", tasks, err)
	}
}

func TestAGroupThatBothSidesFoldLosesAndDoublesNothing(t *testing.T) {
	w := newWorld(t)
	const count = 1000
	for n := range count {
		w.part("ada", n)
	}
	// Go folds one set a second at most: it begins, so that it has its share.
	deliveries := w.foldInGo(asynq.Config{GroupGracePeriod: time.Second, GroupMaxSize: 10})
	w.until("Go has folded a set", 20*time.Second, func() bool { return len(deliveries) > 0 })
	w.crew("default=1", fmt.Sprintf(foldGoScript, "1s", 10))
	var all []int
	w.until("all are folded and done", 60*time.Second, func() bool {
		q := w.queue("default")
		return q.Aggregating+q.Pending+q.Active+q.Groups == 0
	})
	// What the crew folded may have been handled by Go, and the other way round.
	for len(deliveries) > 0 {
		all = append(all, numbers(t, (<-deliveries).payload)...)
	}
	tasks, err := w.inspector.ListCompletedTasks("default", asynq.PageSize(count))
	if err != nil {
		t.Fatal(err)
	}
	byCrew, byGo := 0, len(all)
	for _, task := range tasks {
		if len(task.Result) > 0 { // Go leaves none, and was counted above
			byCrew++
			all = append(all, numbers(t, string(task.Result))...)
		}
	}
	slices.Sort(all)
	if byCrew == 0 || byGo == 0 {
		t.Errorf("%d sets were handled by the crew, %d payloads by Go", byCrew, byGo)
	}
	for n := range count {
		if n >= len(all) || all[n] != n {
			t.Fatalf("%d payloads, the first that is wrong at %d", len(all), n)
		}
	}
	if len(all) != count {
		t.Errorf("%d payloads came of %d", len(all), count)
	}
}

func z(at time.Time, member string) redis.Z {
	return redis.Z{Score: float64(at.Unix()), Member: member}
}
