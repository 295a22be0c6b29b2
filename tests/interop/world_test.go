package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// A world is what one test has to itself: a folder, a Redis on a unix socket in it, and what it started. All of it ends
// with the test.
type world struct {
	t         *testing.T
	folder    string
	socket    string
	redis     asynq.RedisClientOpt
	client    *asynq.Client
	inspector *asynq.Inspector
	raw       *redis.Client // for what asynq's inspector does not tell
	crews     int           // how many were started: each has its own folder of scripts and its own output
}

var ctx = context.Background()

func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: run these tests by `make interop`", name)
	}
	return value
}

func newWorld(t *testing.T) *world {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "mooncrew-interop-") // t.TempDir is too long for a unix socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	w := &world{t: t, folder: folder, socket: filepath.Join(folder, "redis.sock")}
	w.start("redis-server", exec.Command("redis-server", "--port", "0", "--unixsocket", w.socket, "--save", ""))
	w.redis = asynq.RedisClientOpt{Network: "unix", Addr: w.socket}
	w.client = asynq.NewClient(w.redis)
	w.inspector = asynq.NewInspector(w.redis)
	w.raw = redis.NewClient(&redis.Options{Network: "unix", Addr: w.socket})
	t.Cleanup(func() { w.client.Close(); w.inspector.Close(); w.raw.Close() })
	w.until("Redis answers", 20*time.Second, func() bool { return w.client.Ping() == nil })
	return w
}

// start runs a program until the test ends, with its output in a file that a failed test shows. Sanitizer preloads are
// for the program under test alone.
func (w *world) start(name string, command *exec.Cmd) *exec.Cmd {
	w.t.Helper()
	output := filepath.Join(w.folder, name+".log")
	file, err := os.Create(output)
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	command.Dir = w.folder
	command.Stdout, command.Stderr = file, file
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL} // also when the tests are killed
	if err := command.Start(); err != nil {
		w.t.Fatalf("cannot start %s: %v", name, err)
	}
	w.t.Cleanup(func() {
		if command.ProcessState == nil {
			command.Process.Kill()
			command.Wait()
		}
		if w.t.Failed() {
			text, _ := os.ReadFile(output)
			w.t.Logf("output of %s:\n%s", name, text)
		}
	})
	return command
}

// until polls a condition up to a deadline.
func (w *world) until(what string, limit time.Duration, condition func() bool) {
	w.t.Helper()
	if os.Getenv("SAN") != "" {
		limit *= 4
	}
	for deadline := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		if condition() {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("waited %v in vain until %s", limit, what)
		}
	}
}

func (w *world) url() string { return "redis+unix://" + w.socket }

// crew starts `mooncrew run` with these handler scripts; queues as mooncrew writes them: "critical=6,default=3". More
// flags may follow.
func (w *world) crew(queues, scripts string, flags ...string) *exec.Cmd {
	w.t.Helper()
	w.crews++
	name := fmt.Sprintf("mooncrew-%d", w.crews)
	folder := filepath.Join(w.folder, name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		w.t.Fatal(err)
	}
	text := "local crew = require \"mooncrew\"\n" + scripts
	if err := os.WriteFile(filepath.Join(folder, "tasks.lua"), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	arguments := []string{"run", "--redis", w.url(), "--scripts", folder, "--queues", queues, "--workers", "2",
		"--concurrency", "20", "--log-format", "json"}
	return w.start(name, exec.Command(setting(w.t, "MOONCREW"), append(arguments, flags...)...))
}

// stop ends a crew as a service manager does.
func (w *world) stop(crew *exec.Cmd) {
	w.t.Helper()
	crew.Process.Signal(syscall.SIGTERM)
	if err := crew.Wait(); err != nil {
		w.t.Fatalf("mooncrew did not end well: %v", err)
	}
}

// run runs a program to its end and returns what it wrote, which it must do without error.
func (w *world) run(command *exec.Cmd) string {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	command.Dir, command.Stdout, command.Stderr = w.folder, &stdout, &stderr
	if err := command.Run(); err != nil {
		w.t.Fatalf("%s: %v\n%s%s", strings.Join(command.Args, " "), err, stdout.String(), stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

// lua runs a Lua program over mooncrew's Lua client; `client` is open in it, and what it prints is returned.
func (w *world) lua(body string) string {
	w.t.Helper()
	program := filepath.Join(w.folder, "program.lua")
	text := fmt.Sprintf("local client = assert(require('mooncrew.client').open(%q))\nlocal json = require 'mooncrew.json'\n%s",
		w.url(), body)
	if err := os.WriteFile(program, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	root := setting(w.t, "MOONCREW_ROOT")
	command := exec.Command("/usr/bin/luajit", program)
	command.Env = append(os.Environ(),
		"LUA_PATH="+root+"/lua/?.lua;"+root+"/lua/?/init.lua;;",
		"LUA_CPATH="+setting(w.t, "MOONCREW_BUILD")+"/lua/?.so;;",
		"LD_PRELOAD="+os.Getenv("MOONCREW_PRELOAD"))
	return w.run(command)
}

// c runs program/enqueue.c, which enqueues one task through libmooncrew and prints its id.
func (w *world) c(arguments ...string) string {
	w.t.Helper()
	program := filepath.Join(setting(w.t, "MOONCREW_BUILD"), "tests/interop/enqueue")
	return w.run(exec.Command(program, append([]string{w.url()}, arguments...)...))
}

// info waits until a task is in a state, and returns what asynq's inspector says about it.
func (w *world) info(queue, id string, state asynq.TaskState, limit time.Duration) *asynq.TaskInfo {
	w.t.Helper()
	var info *asynq.TaskInfo
	w.until(fmt.Sprintf("task %s is %s", id, state), limit, func() bool {
		var err error
		info, err = w.inspector.GetTaskInfo(queue, id)
		return err == nil && info.State == state
	})
	return info
}

// enqueue adds a task by asynq's client.
func (w *world) enqueue(name string, payload []byte, options ...asynq.Option) *asynq.TaskInfo {
	w.t.Helper()
	info, err := w.client.Enqueue(asynq.NewTask(name, payload), options...)
	if err != nil {
		w.t.Fatalf("asynq.Client: %v", err)
	}
	return info
}

// fill enqueues by mooncrew's Lua client with options as Lua writes them, and returns the task's id.
func (w *world) fill(kind, payload, options string) string {
	w.t.Helper()
	return w.lua(fmt.Sprintf("print(assert(client:enqueue(%q, %s, %s)).id)", kind, payload, options))
}

func (w *world) queue(name string) *asynq.QueueInfo {
	w.t.Helper()
	info, err := w.inspector.GetQueueInfo(name)
	if err != nil {
		w.t.Fatalf("asynq.Inspector: %v", err)
	}
	return info
}

// gone waits until a task exists no more.
func (w *world) gone(queue, id string, limit time.Duration) {
	w.t.Helper()
	w.until(fmt.Sprintf("task %s is gone", id), limit, func() bool {
		_, err := w.inspector.GetTaskInfo(queue, id)
		return errors.Is(err, asynq.ErrTaskNotFound)
	})
}

// servers waits until so many are listed.
func (w *world) servers(count int) []*asynq.ServerInfo {
	w.t.Helper()
	var servers []*asynq.ServerInfo
	w.until(fmt.Sprintf("%d servers are listed", count), 20*time.Second, func() bool {
		var err error
		servers, err = w.inspector.Servers()
		return err == nil && len(servers) == count
	})
	return servers
}

// atRest checks that nobody holds anything of a queue.
func (w *world) atRest(queue string) {
	w.t.Helper()
	prefix := "asynq:{" + queue + "}:"
	active, err := w.raw.LRange(ctx, prefix+"active", 0, -1).Result()
	if err != nil || len(active) > 0 {
		w.t.Errorf("left in active: %v, %v", active, err)
	}
	leases, err := w.raw.ZRange(ctx, prefix+"lease", 0, -1).Result()
	if err != nil || len(leases) > 0 {
		w.t.Errorf("left in lease: %v, %v", leases, err)
	}
}
