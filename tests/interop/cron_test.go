package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// Cron entries of a crew, as asynq's inspector lists them.

const cronScript = `
crew.task("report", { perform = function() return "written" end })
crew.cron("@every 1s", "report", { kind = "often" }, { max_retry = 3, retention = "1h" })
crew.cron("0 3 * * *", "report", { kind = "daily" }, { queue = "low", max_retry = 10, timeout = "30s" })`

func TestInspectorListsTheCronEntriesOfACrew(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1,low=1", cronScript)
	var entries []*asynq.SchedulerEntry
	w.until("both entries are listed and one has run", 30*time.Second, func() bool {
		var err error
		entries, err = w.inspector.SchedulerEntries()
		return err == nil && len(entries) == 2 && (!entries[0].Prev.IsZero() || !entries[1].Prev.IsZero())
	})
	bySpec := map[string]*asynq.SchedulerEntry{}
	for _, entry := range entries {
		bySpec[entry.Spec] = entry
	}
	often, daily := bySpec["@every 1s"], bySpec["0 3 * * *"]
	if often == nil || daily == nil {
		t.Fatalf("%+v", entries)
	}
	if often.Task.Type() != "report" || string(often.Task.Payload()) != `{"kind":"often"}` ||
		time.Since(often.Prev) > 30*time.Second || often.Next.Before(often.Prev) {
		t.Errorf("%+v", often)
	}
	if left := time.Until(daily.Next); string(daily.Task.Payload()) != `{"kind":"daily"}` || left <= 0 || left > 24*time.Hour+time.Minute {
		t.Errorf("%+v", daily)
	}
	options := fmt.Sprint(daily.Opts)
	for _, want := range []string{`Queue("low")`, "MaxRetry(10)", "Timeout(30s)"} {
		if !strings.Contains(options, want) {
			t.Errorf("options %s lack %s", options, want)
		}
	}
}

func TestInspectorListsWhatACrewsCronEnqueued(t *testing.T) {
	w := newWorld(t)
	w.crew("default=1,low=1", cronScript)
	w.crew("default=1,low=1", cronScript) // the same entries on a second node
	w.until("three ticks have run", 30*time.Second, func() bool {
		q, err := w.inspector.GetQueueInfo("default") // there is none before the first tick
		return err == nil && q.Completed >= 3
	})
	entries, err := w.inspector.SchedulerEntries()
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Spec != "@every 1s" {
			continue
		}
		events, err := w.inspector.ListSchedulerEnqueueEvents(entry.ID)
		if err != nil || len(events) < 3 {
			t.Fatalf("%+v, %v", events, err)
		}
		span := events[0].EnqueuedAt.Sub(events[len(events)-1].EnqueuedAt).Abs()
		if most := int(span/time.Second) + 2; len(events) > most { // both ends, and one that was late
			t.Errorf("%d ticks in %v", len(events), span)
		}
		for _, event := range events {
			info, err := w.inspector.GetTaskInfo("default", event.TaskID)
			if err != nil || info.MaxRetry != 3 {
				t.Errorf("%s: %+v, %v", event.TaskID, info, err)
			}
		}
		return
	}
	t.Fatalf("not listed: %+v", entries)
}
