package interop

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
)

// Zones of every kind: without and with summer time, south of the equator, offsets of half and quarter hours, clocks
// that change at midnight, by half an hour, or against the season.
var cronZones = []string{"UTC", "Europe/Paris", "Europe/London", "Europe/Dublin", "America/New_York", "America/Sao_Paulo",
	"America/Santiago", "America/Havana", "America/St_Johns", "America/Asuncion", "Asia/Kolkata", "Asia/Kathmandu",
	"Asia/Tehran", "Asia/Beirut", "Asia/Gaza", "Asia/Tokyo", "Africa/Cairo", "Africa/Casablanca", "Australia/Lord_Howe",
	"Australia/Sydney", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Easter", "Pacific/Kiritimati",
	"Antarctica/Troll", "America/Nuuk", "Etc/GMT+7"}

type cronCase struct {
	spec  string
	after int64
}

func randomValue(r *rand.Rand, min, max int, names []string) string {
	value := min + r.Intn(max-min+1)
	if names != nil && r.Intn(3) == 0 {
		name := names[value-min]
		return []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]}[r.Intn(3)]
	}
	if r.Intn(30) == 0 {
		return "+" + strconv.Itoa(value)
	}
	return strconv.Itoa(value)
}

func randomItem(r *rand.Rand, min, max int, names []string) string {
	item := []string{"*", "?", "*"}[r.Intn(3)]
	switch r.Intn(5) {
	case 0, 1:
		item = randomValue(r, min, max, names)
	case 2:
		item = randomValue(r, min, max, names) + "-" + randomValue(r, min, max, names)
	}
	if r.Intn(4) == 0 {
		item += "/" + strconv.Itoa(r.Intn(max+2))
	}
	return item
}

func randomField(r *rand.Rand, min, max int, names []string) string {
	items := []string{randomItem(r, min, max, names)}
	for r.Intn(4) == 0 {
		items = append(items, randomItem(r, min, max, names))
	}
	return strings.Join(items, ",")
}

func randomSpec(r *rand.Rand) string {
	months := strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")
	days := strings.Fields("sun mon tue wed thu fri sat")
	spec := strings.Join([]string{randomField(r, 0, 59, nil), randomField(r, 0, 23, nil), randomField(r, 1, 31, nil),
		randomField(r, 1, 12, months), randomField(r, 0, 6, days)}, " ")
	switch r.Intn(12) {
	case 0:
		named := strings.Fields("@yearly @annually @monthly @weekly @daily @midnight @hourly @reboot @Daily")
		spec = named[r.Intn(len(named))]
	case 1, 2: // the times of day that clocks skip and repeat
		spec = fmt.Sprintf("%d %d * * *", r.Intn(4)*15, r.Intn(5))
	}
	return spec
}

// mutate damages a spec in one place, so that what is refused is compared as well.
func mutate(r *rand.Rand, spec string) string {
	const letters = "*?-/,0159 @+aJ\t"
	at := r.Intn(len(spec) + 1)
	end := at
	if end < len(spec) {
		end += r.Intn(2)
	}
	return spec[:at] + string(letters[r.Intn(len(letters))]) + spec[end:]
}

func randomCase(r *rand.Rand) cronCase {
	spec := randomSpec(r)
	if r.Intn(6) == 0 {
		spec = mutate(r, spec)
	}
	prefix := []string{"CRON_TZ=", "TZ="}[r.Intn(2)] + cronZones[r.Intn(len(cronZones))] + " "
	first := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	return cronCase{prefix + spec, first + r.Int63n(last-first)}
}

// ourTicks asks mooncrew's reader of schedules about all cases, in one process; a line each: a unix time, "never", or
// "refused".
func ourTicks(t *testing.T, cases []cronCase) []string {
	t.Helper()
	folder := t.TempDir()
	var input strings.Builder
	for _, c := range cases {
		fmt.Fprintf(&input, "%d|%s\n", c.after, c.spec)
	}
	const program = `local native = require "mooncrew.native"
for line in io.lines(arg[1]) do
  local after, spec = line:match "^(%-?%d+)|(.*)$"
  local tick = native.cron_next(spec, tonumber(after))
  print(tick and ("%.0f"):format(tick) or tick == nil and "refused" or "never")
end`
	for name, text := range map[string]string{"input": input.String(), "program.lua": program} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("/usr/bin/luajit", filepath.Join(folder, "program.lua"), filepath.Join(folder, "input"))
	command.Env = append(os.Environ(), "LUA_CPATH="+setting(t, "MOONCREW_BUILD")+"/lua/?.so;;",
		"LD_PRELOAD="+os.Getenv("MOONCREW_PRELOAD"))
	output, err := command.Output()
	if err != nil {
		t.Fatalf("luajit: %v\n%s", err, output)
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	if len(lines) != len(cases) {
		t.Fatalf("%d answers to %d questions", len(lines), len(cases))
	}
	return lines
}

func theirTick(c cronCase) string {
	schedule, err := cron.ParseStandard(c.spec)
	if err != nil {
		return "refused"
	}
	next := schedule.Next(time.Unix(c.after, 0).UTC())
	if next.IsZero() {
		return "never"
	}
	return strconv.FormatInt(next.Unix(), 10)
}

func compareTicks(t *testing.T, cases []cronCase) map[string]int {
	t.Helper()
	kinds, wrong := map[string]int{}, 0
	for i, ours := range ourTicks(t, cases) {
		theirs := theirTick(cases[i])
		kind := theirs
		if kind != "refused" && kind != "never" {
			kind = "tick"
		}
		kinds[kind]++
		if ours != theirs && wrong < 20 {
			wrong++
			t.Errorf("%q after %s (%d): mooncrew says %s, robfig/cron %s", cases[i].spec,
				time.Unix(cases[i].after, 0).UTC(), cases[i].after, ours, theirs)
		}
	}
	return kinds
}

func TestSchedulesMeanTheSameToRobfigCron(t *testing.T) {
	seed := time.Now().UnixNano()
	r := rand.New(rand.NewSource(seed))
	cases := make([]cronCase, 30000)
	for i := range cases {
		cases[i] = randomCase(r)
	}
	kinds := compareTicks(t, cases)
	t.Logf("seed %d: %v", seed, kinds)
	if kinds["tick"] < 10000 || kinds["refused"] < 1000 || kinds["never"] < 10 {
		t.Errorf("the cases are not varied enough: %v", kinds)
	}
}

// clockChanges lists the hours in which a zone's offset changes, as unix times.
func clockChanges(location *time.Location, from, to int) []int64 {
	var changes []int64
	offset := func(at int64) int {
		_, seconds := time.Unix(at, 0).In(location).Zone()
		return seconds
	}
	end := time.Date(to, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for at := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC).Unix(); at < end; at += 3600 {
		if offset(at) != offset(at+3600) {
			changes = append(changes, at+3600)
		}
	}
	return changes
}

// Around every change of clocks from 2015 to 2045, in every zone: what is skipped, what comes twice, and the days of
// which there is no midnight.
func TestChangesOfClocksMeanTheSameToRobfigCron(t *testing.T) {
	var cases []cronCase
	specs := []string{"0 0 * * *", "30 0 * * *", "30 1 * * *", "30 2 * * *", "0 2 * * *", "15 3 * * *", "0 * * * *",
		"30 23 * * *", "*/20 * * * *", "@daily", "@weekly"}
	for _, zone := range cronZones {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range clockChanges(location, 2015, 2045) {
			for _, spec := range specs {
				for hours := int64(-26); hours <= 4; hours += 5 {
					cases = append(cases, cronCase{"CRON_TZ=" + zone + " " + spec, change + hours*3600 - 900})
				}
			}
		}
	}
	if kinds := compareTicks(t, cases); kinds["tick"] < 10000 {
		t.Errorf("too few cases: %v", kinds)
	}
}

func TestIntervalsAreCutAsRobfigCronCutsThem(t *testing.T) {
	for _, text := range []string{"1s", "1.9s", "500ms", "0", "0s", "-3s", "1h30m", "2m0.5s", "0.7m", "1.5h", "3600s",
		"1000000h", "2562047h", "2562048h", "99999999999h", "1d", "5", "", " 1s", "1s ", "1.s", ".5m", ".s", "1us", "+2m",
		"--1s", "90m1h", "1µs", "1e3s", "1..5s", "1h-1m"} {
		spec := "@every " + text
		schedule, err := cron.ParseStandard(spec)
		ours := ourTicks(t, []cronCase{{spec, 0}})[0] // ticks are multiples of the interval: the first one is the interval
		theirs := "refused"
		if err == nil {
			theirs = strconv.FormatInt(int64(schedule.(cron.ConstantDelaySchedule).Delay/time.Second), 10)
		}
		if ours != theirs {
			t.Errorf("%q: mooncrew says %s, robfig/cron %s", spec, ours, theirs)
		}
	}
}
