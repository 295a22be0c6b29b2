package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// A mixed fleet: one asynq.Server and crews on one queue, each a process of its own. Every handler adds a line to one
// file when it starts, so that the test knows what was run how often, by whom and when.

// The handler of server/main.go, in Lua.
const workScript = `
local runs = assert(io.open(%q, "a"))
crew.task("work", { retry = "1s", perform = function(payload, task)
  runs:write(("%s %%s %%d %%d\n"):format(task.id, task.retried, os.time()))
  runs:flush()
  crew.sleep(payload.ms / 1000)
  if payload["end"] == "fail once" and task.retried == 0 then
    error("the first run fails")
  elseif payload["end"] == "archive" then
    task:skip_retry("no use")
  end
  return "lua"
end })`

const fleetQueue = "fleet"

type fleet struct {
	*world
	runs string // the file of starts
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	w := newWorld(t)
	return &fleet{w, filepath.Join(w.folder, "runs")}
}

func (f *fleet) node(name string, flags ...string) *exec.Cmd {
	f.t.Helper()
	return f.crew(fleetQueue+"=1", fmt.Sprintf(workScript, f.runs, name), flags...)
}

func (f *fleet) goServer(concurrency int) *exec.Cmd {
	f.t.Helper()
	program := filepath.Join(setting(f.t, "MOONCREW_BUILD"), "tests/interop/server")
	return f.start("server", exec.Command(program, f.socket, fleetQueue, strconv.Itoa(concurrency), f.runs))
}

type start struct {
	by      string
	retried int
	at      int64 // unix s
}

// starts reads the file: what was started, by task id.
func (f *fleet) starts() map[string][]start {
	f.t.Helper()
	text, err := os.ReadFile(f.runs)
	if err != nil && !os.IsNotExist(err) {
		f.t.Fatal(err)
	}
	starts := map[string][]start{}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		fields := strings.Fields(line)
		if len(fields) != 4 { // one that is being written
			continue
		}
		retried, _ := strconv.Atoi(fields[2])
		at, _ := strconv.ParseInt(fields[3], 10, 64)
		starts[fields[1]] = append(starts[fields[1]], start{fields[0], retried, at})
	}
	return starts
}

func (f *fleet) startsBy(name string) int {
	count := 0
	for _, starts := range f.starts() {
		for _, s := range starts {
			if s.by == name {
				count++
			}
		}
	}
	return count
}

// ---- the tasks: what each is to do can be told from its number ----

type job struct {
	id       string
	end      string // how it ends: "done", "fail once", "archive"
	retained bool
}

func jobOf(i int) job {
	j := job{id: fmt.Sprintf("job-%05d", i), end: "done", retained: i%2 == 0}
	if i%10 == 3 || i%10 == 4 {
		j.end = "fail once"
	} else if i%100 == 7 || i%100 == 8 {
		j.end = "archive"
	}
	return j
}

func (j job) runs() int {
	if j.end == "fail once" {
		return 2
	}
	return 1
}

const jobMilliseconds = 5

// enqueueJobs adds jobs by asynq's client and by mooncrew's, half and half.
func (f *fleet) enqueueJobs(count int) {
	f.t.Helper()
	var group sync.WaitGroup
	errors := make(chan error, count)
	for lane := range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := lane; i < count/2; i += 4 {
				if err := f.enqueueJob(jobOf(i)); err != nil {
					errors <- err
				}
			}
		}()
	}
	f.lua(luaJobs(count/2, count))
	group.Wait()
	close(errors)
	for err := range errors {
		f.t.Fatal(err)
	}
}

func (f *fleet) enqueueJob(j job) error {
	payload, err := json.Marshal(map[string]any{"ms": jobMilliseconds, "end": j.end})
	if err != nil {
		return err
	}
	options := []asynq.Option{asynq.Queue(fleetQueue), asynq.TaskID(j.id)}
	if j.retained {
		options = append(options, asynq.Retention(time.Hour))
	}
	_, err = f.client.Enqueue(asynq.NewTask("work", payload), options...)
	return err
}

func luaJobs(from, to int) string {
	var text strings.Builder
	text.WriteString("local jobs = {}\n")
	for i := from; i < to; i++ {
		j := jobOf(i)
		fmt.Fprintf(&text, "jobs[#jobs + 1] = {%q, %q, %t}\n", j.id, j.end, j.retained)
	}
	fmt.Fprintf(&text, `
for first = 1, #jobs, 500 do
  local batch = {}
  for i = first, math.min(first + 499, #jobs) do
    local id, ending, retained = unpack(jobs[i])
    batch[#batch + 1] = { "work", { ms = %d, ["end"] = ending },
      { queue = %q, task_id = id, retention = retained and "1h" or nil } }
  end
  for _, result in ipairs(client:enqueue_many(batch)) do
    assert(result.ok, result.error)
  end
end`, jobMilliseconds, fleetQueue)
	return text.String()
}

// ---- what must hold at the end ----

func (f *fleet) finish(limit time.Duration) {
	f.t.Helper()
	f.until("nothing is left to do", limit, func() bool {
		q := f.queue(fleetQueue)
		return q.Pending+q.Active+q.Retry+q.Scheduled+q.Aggregating == 0
	})
	f.atRest(fleetQueue)
}

// final says in which state each task is that still exists, and fails for one that is in two.
func (f *fleet) final() map[string]asynq.TaskState {
	f.t.Helper()
	states := map[string]asynq.TaskState{}
	list := func(state asynq.TaskState, page func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error)) {
		for number := 1; ; number++ {
			tasks, err := page(fleetQueue, asynq.PageSize(2000), asynq.Page(number))
			if err != nil {
				f.t.Fatal(err)
			}
			for _, task := range tasks {
				if other, found := states[task.ID]; found {
					f.t.Errorf("%s is %v and %v", task.ID, other, state)
				}
				states[task.ID] = state
				f.checkTask(task)
			}
			if len(tasks) < 2000 {
				return
			}
		}
	}
	list(asynq.TaskStateCompleted, f.inspector.ListCompletedTasks)
	list(asynq.TaskStateArchived, f.inspector.ListArchivedTasks)
	return states
}

func (f *fleet) checkTask(task *asynq.TaskInfo) {
	f.t.Helper()
	retried := 0
	var p struct{ End string }
	if err := json.Unmarshal(task.Payload, &p); err != nil {
		f.t.Fatal(err)
	}
	if p.End == "fail once" {
		retried = 1
	}
	if task.Retried != retried {
		f.t.Errorf("%s (%s) was retried %d times: %s", task.ID, p.End, task.Retried, task.LastErr)
	}
	if task.State == asynq.TaskStateCompleted && string(task.Result) != "go" && string(task.Result) != "lua" {
		f.t.Errorf("%s has the result %q", task.ID, task.Result)
	}
}

// checkJobs holds every job against where it ended and how often it was run; it returns how many runs were one too many.
func (f *fleet) checkJobs(count int) (extra int) {
	f.t.Helper()
	states, starts := f.final(), f.starts()
	wrong := 0
	for i := range count {
		j := jobOf(i)
		want, exists := asynq.TaskStateCompleted, j.retained
		if j.end == "archive" {
			want, exists = asynq.TaskStateArchived, true
		}
		got, found := states[j.id]
		more := len(starts[j.id]) - j.runs()
		extra += max(more, 0)
		if more < 0 || found != exists || (found && got != want) {
			if wrong++; wrong <= 20 {
				f.t.Errorf("%+v: found %v as %v, run %+v", j, found, got, starts[j.id])
			}
		}
	}
	if keys, err := f.raw.Keys(ctx, "asynq:{"+fleetQueue+"}:t:*").Result(); err != nil || len(keys) != len(states) {
		f.t.Errorf("%d task hashes for %d tasks (%v)", len(keys), len(states), err)
	}
	return extra
}

func (f *fleet) checkCounters(count int) {
	f.t.Helper()
	processed, failed := 0, 0
	for i := range count {
		j := jobOf(i)
		processed += j.runs()
		if j.end != "done" {
			failed++
		}
	}
	q := f.queue(fleetQueue)
	if q.ProcessedTotal != processed || q.FailedTotal != failed {
		f.t.Errorf("counted: %d processed, %d failed; should be %d, %d", q.ProcessedTotal, q.FailedTotal, processed, failed)
	}
	days, err := f.inspector.History(fleetQueue, 2) // a run over midnight counts on both
	if err != nil || days[0].Processed+days[1].Processed != processed || days[0].Failed+days[1].Failed != failed {
		f.t.Errorf("by days: %+v %+v, %v", days[0], days[1], err)
	}
}

const jobCount = 20000

func TestAMixedFleetRunsEveryTaskExactlyAsOftenAsItShould(t *testing.T) {
	f := newFleet(t)
	f.goServer(20)
	f.node("one")
	f.node("two")
	f.servers(3)
	f.enqueueJobs(jobCount)
	f.finish(90 * time.Second)
	if extra := f.checkJobs(jobCount); extra != 0 {
		t.Errorf("%d runs too many", extra)
	}
	f.checkCounters(jobCount)
	for _, name := range []string{"go", "one", "two"} {
		if n := f.startsBy(name); n < jobCount/100 {
			t.Errorf("%s ran only %d", name, n)
		}
	}
}

// killInMidWork starts three, gives them everything at once, and kills one when it has run a share.
func (f *fleet) killInMidWork(victim string) {
	f.t.Helper()
	members := map[string]*exec.Cmd{"go": f.goServer(20), "one": f.node("one"), "two": f.node("two")}
	f.servers(3)
	if err := f.inspector.PauseQueue(fleetQueue); err != nil {
		f.t.Fatal(err)
	}
	f.enqueueJobs(jobCount)
	if err := f.inspector.UnpauseQueue(fleetQueue); err != nil {
		f.t.Fatal(err)
	}
	f.until(victim+" is in mid-work", 30*time.Second, func() bool { return f.startsBy(victim) >= 500 })
	members[victim].Process.Kill()
	members[victim].Wait()
	if left := f.queue(fleetQueue).Pending; left == 0 {
		f.t.Errorf("%s was killed when nothing was pending", victim)
	}
}

// A killed server loses what its handlers were doing: those run again, and no others. What was ended and not yet
// confirmed runs again too; a crew confirms in batches.
func checkExtra(t *testing.T, extra, most int) {
	t.Helper()
	t.Logf("%d tasks were run again", extra)
	if extra == 0 || extra > most {
		t.Errorf("%d tasks were run again: at least 1 and at most %d should be", extra, most)
	}
}

func TestAMixedFleetSurvivesItsGoServer(t *testing.T) {
	f := newFleet(t)
	f.killInMidWork("go")
	f.finish(90 * time.Second)
	checkExtra(t, f.checkJobs(jobCount), 20)
	f.checkCounters(jobCount)
}

func TestAMixedFleetSurvivesACrew(t *testing.T) {
	f := newFleet(t)
	f.killInMidWork("one")
	f.finish(90 * time.Second)
	checkExtra(t, f.checkJobs(jobCount), 1000)
	f.checkCounters(jobCount)
}

func (f *fleet) enqueueLong(count int) []string {
	f.t.Helper()
	ids := make([]string, count)
	for i := range ids {
		ids[i] = f.enqueue("work", []byte(`{"ms":600000,"end":"done"}`), asynq.Queue(fleetQueue), asynq.Retention(time.Hour)).ID
	}
	return ids
}

func TestACrewTakesOverFromAKilledGoServerWithin15Seconds(t *testing.T) {
	f := newFleet(t)
	const count = 200
	server := f.goServer(count)
	f.servers(1)
	ids := f.enqueueLong(count)
	f.until("the Go server runs them all", 30*time.Second, func() bool { return f.startsBy("go") == count })
	f.node("one", "--concurrency", "200", "--shutdown-timeout", "0s")
	f.servers(2)
	server.Process.Kill()
	server.Wait()
	killed := time.Now()
	f.until("the crew runs them all", 30*time.Second, func() bool { return f.startsBy("one") == count })
	took := time.Since(killed)
	t.Logf("all run again %v after the kill", took)
	if took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, id := range ids {
		info, err := f.inspector.GetTaskInfo(fleetQueue, id)
		if err != nil || info.State != asynq.TaskStateActive || info.Retried != 0 || info.LastErr != "" {
			t.Fatalf("%s: %+v, %v", id, info, err)
		}
	}
}

// Without a crew that is left, asynq's own rule applies: 30 s after its lease has expired, for a retry. The leases are
// made old here instead of waiting for it.
func TestAGoServerRecoversWhatAKilledCrewHeld(t *testing.T) {
	f := newFleet(t)
	const count = 20
	node := f.node("one")
	ids := f.enqueueLong(count)
	f.until("the crew runs them all", 20*time.Second, func() bool { return f.startsBy("one") == count })
	node.Process.Kill()
	node.Wait()
	for _, id := range ids {
		key := "asynq:{" + fleetQueue + "}:lease"
		if err := f.raw.ZIncrBy(ctx, key, -120, id).Err(); err != nil {
			t.Fatal(err)
		}
	}
	f.goServer(count)
	f.until("the Go server runs them all", 30*time.Second, func() bool { return f.startsBy("go") == count })
	for _, id := range ids {
		info, err := f.inspector.GetTaskInfo(fleetQueue, id)
		if err != nil || info.Retried != 1 || info.LastErr != "asynq: task lease expired" {
			t.Fatalf("%s: %+v, %v", id, info, err)
		}
	}
}
