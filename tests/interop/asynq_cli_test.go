package interop

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// asynq's own command line (cli/go.mod pins its version), on what a crew has written.

// shell returns a function that runs asynq's command line and returns what it printed.
func (w *world) shell() func(arguments ...string) string {
	w.t.Helper()
	program := os.Getenv("ASYNQ_CLI")
	if program == "" {
		w.t.Fatal("ASYNQ_CLI does not name asynq's command line: run these tests by `make interop`, which builds it")
	}
	return func(arguments ...string) string {
		w.t.Helper()
		command := exec.Command(program, append(arguments, "--uri", w.socket)...)
		command.Env = append(os.Environ(), "HOME="+w.folder) // it reads a configuration there
		return w.run(command)
	}
}

// row finds the line of a table that begins with these words, whatever the space between them.
func row(table string, words ...string) bool {
	for i, word := range words {
		words[i] = regexp.QuoteMeta(word)
	}
	return regexp.MustCompile(`(?m)^` + strings.Join(words, `\s+`) + `(\s|$)`).MatchString(table)
}

func TestAsynqsCommandLineShowsACrewsTasks(t *testing.T) {
	w := newWorld(t)
	shell := w.shell()
	w.crew("default=2,other=1", movesScript)
	ids := map[string]string{
		"completed": w.fill("result", `{ n = 1 }`, `{ retention = "1h" }`),
		"retry":     w.fill("fail", "nil", "{}"),
		"archived":  w.fill("skip", "nil", "{}"),
		"active":    w.fill("long", "nil", `{ timeout = "10m" }`),
		"scheduled": w.fill("done", "nil", `{ process_in = "1h" }`),
	}
	grouped := w.fill("done", "nil", `{ group = "ada", queue = "mails" }`)
	w.until("all are where they belong", 20*time.Second, func() bool {
		q := w.queue("default")
		return q.Completed == 1 && q.Retry == 1 && q.Archived == 1 && q.Active == 1 && q.Scheduled == 1
	})
	server := w.servers(1)[0]
	w.until("the running task is listed", 10*time.Second, func() bool { return len(w.servers(1)[0].ActiveWorkers) == 1 })

	if queues := strings.Fields(shell("queue", "ls")); len(queues) != 2 {
		t.Errorf("queues: %v", queues)
	}
	inspected := shell("queue", "inspect", "default")
	// active, pending, aggregating, scheduled, retry, archived, completed; then processed and failed
	if !row(inspected, "1", "0", "0", "1", "1", "1", "1") || !row(inspected, "3", "2", "66.67%") {
		t.Errorf("queue inspect:\n%s", inspected)
	}
	for state, id := range ids {
		if listed := shell("task", "ls", "--queue", "default", "--state", state); !row(listed, id) {
			t.Errorf("task ls --state %s:\n%s", state, listed)
		}
		if one := shell("task", "inspect", "--queue", "default", "--id", id); !row(one, "State:", state) {
			t.Errorf("task inspect, %s:\n%s", state, one)
		}
	}
	if listed := shell("task", "ls", "--queue", "mails", "--state", "aggregating", "--group", "ada"); !row(listed, grouped) {
		t.Errorf("task ls --state aggregating:\n%s", listed)
	}
	if groups := shell("group", "ls", "--queue", "mails"); !row(groups, "ada") {
		t.Errorf("group ls:\n%s", groups)
	}
	if servers := shell("server", "ls"); !row(servers, server.Host) || !strings.Contains(servers, "1/40") {
		t.Errorf("server ls:\n%s", servers)
	}
	if stats := shell("stats"); !strings.Contains(stats, "default") || !row(stats, "3", "2", "66.67%") {
		t.Errorf("stats:\n%s", stats)
	}
}

func TestAsynqsCommandLineSteersACrew(t *testing.T) {
	w := newWorld(t)
	shell := w.shell()
	w.crew("default=1", movesScript)
	later := w.fill("result", "nil", `{ process_in = "1h", retention = "1h" }`)
	shell("task", "run", "--queue", "default", "--id", later)
	w.info("default", later, asynq.TaskStateCompleted, 20*time.Second)
	shell("task", "delete", "--queue", "default", "--id", later)
	w.gone("default", later, time.Second)

	long := w.fill("long", "nil", "{}")
	w.info("default", long, asynq.TaskStateActive, 20*time.Second)
	w.until("the cancelled task is to be tried again", 20*time.Second, func() bool {
		shell("task", "cancel", long)
		info, err := w.inspector.GetTaskInfo("default", long)
		return err == nil && info.State == asynq.TaskStateRetry
	})
	shell("task", "archiveall", "--queue", "default", "--state", "retry")
	w.info("default", long, asynq.TaskStateArchived, time.Second)

	shell("queue", "pause", "default")
	enqueued := shell("task", "enqueue", "--type_name", "result", "--payload", "{}", "--retention", "1h", "--id", "mine",
		"--queue", "default")
	if !strings.Contains(enqueued, "mine") {
		t.Errorf("task enqueue: %s", enqueued)
	}
	w.info("default", "mine", asynq.TaskStatePending, time.Second)
	shell("queue", "resume", "default")
	w.info("default", "mine", asynq.TaskStateCompleted, 20*time.Second)
}
