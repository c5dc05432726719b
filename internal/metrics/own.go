package metrics

import (
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"slices"
	"time"

	"github.com/prometheus/procfs"
)

// own is what the process and its runtime tell of themselves.
type own struct {
	figures map[string]float64 // By the name of their family; what nobody knows is missing.
	gc      debug.GCStats
}

// figure is a family that has one series without labels.
type figure struct {
	name, help string
	kind       kind
	sum        []string // The names in runtime/metrics of what it is the sum of.
}

// goFigures have the names, texts and sums of Prometheus's own library, whose dashboards are everywhere.
var goFigures = []figure{
	{"go_gc_gogc_percent", "Heap size target percentage configured by the user, otherwise 100. This value is set by the GOGC environment variable, and the runtime/debug.SetGCPercent function. Sourced from /gc/gogc:percent.", gauge, []string{"/gc/gogc:percent"}},
	{"go_gc_gomemlimit_bytes", "Go runtime memory limit configured by the user, otherwise math.MaxInt64. This value is set by the GOMEMLIMIT environment variable, and the runtime/debug.SetMemoryLimit function. Sourced from /gc/gomemlimit:bytes.", gauge, []string{"/gc/gomemlimit:bytes"}},
	{"go_memstats_alloc_bytes", "Number of bytes allocated in heap and currently in use. Equals to /memory/classes/heap/objects:bytes.", gauge, []string{"/memory/classes/heap/objects:bytes"}},
	{"go_memstats_alloc_bytes_total", "Total number of bytes allocated in heap until now, even if released already. Equals to /gc/heap/allocs:bytes.", counter, []string{"/gc/heap/allocs:bytes"}},
	{"go_memstats_buck_hash_sys_bytes", "Number of bytes used by the profiling bucket hash table. Equals to /memory/classes/profiling/buckets:bytes.", gauge, []string{"/memory/classes/profiling/buckets:bytes"}},
	{"go_memstats_frees_total", "Total number of heap objects frees. Equals to /gc/heap/frees:objects + /gc/heap/tiny/allocs:objects.", counter, []string{"/gc/heap/frees:objects", "/gc/heap/tiny/allocs:objects"}},
	{"go_memstats_gc_sys_bytes", "Number of bytes used for garbage collection system metadata. Equals to /memory/classes/metadata/other:bytes.", gauge, []string{"/memory/classes/metadata/other:bytes"}},
	{"go_memstats_heap_alloc_bytes", "Number of heap bytes allocated and currently in use, same as go_memstats_alloc_bytes. Equals to /memory/classes/heap/objects:bytes.", gauge, []string{"/memory/classes/heap/objects:bytes"}},
	{"go_memstats_heap_idle_bytes", "Number of heap bytes waiting to be used. Equals to /memory/classes/heap/released:bytes + /memory/classes/heap/free:bytes.", gauge, []string{"/memory/classes/heap/released:bytes", "/memory/classes/heap/free:bytes"}},
	{"go_memstats_heap_inuse_bytes", "Number of heap bytes that are in use. Equals to /memory/classes/heap/objects:bytes + /memory/classes/heap/unused:bytes", gauge, []string{"/memory/classes/heap/objects:bytes", "/memory/classes/heap/unused:bytes"}},
	{"go_memstats_heap_objects", "Number of currently allocated objects. Equals to /gc/heap/objects:objects.", gauge, []string{"/gc/heap/objects:objects"}},
	{"go_memstats_heap_released_bytes", "Number of heap bytes released to OS. Equals to /memory/classes/heap/released:bytes.", gauge, []string{"/memory/classes/heap/released:bytes"}},
	{"go_memstats_heap_sys_bytes", "Number of heap bytes obtained from system. Equals to /memory/classes/heap/objects:bytes + /memory/classes/heap/unused:bytes + /memory/classes/heap/released:bytes + /memory/classes/heap/free:bytes.", gauge, []string{"/memory/classes/heap/objects:bytes", "/memory/classes/heap/unused:bytes", "/memory/classes/heap/released:bytes", "/memory/classes/heap/free:bytes"}},
	{"go_memstats_mallocs_total", "Total number of heap objects allocated, both live and gc-ed. Semantically a counter version for go_memstats_heap_objects gauge. Equals to /gc/heap/allocs:objects + /gc/heap/tiny/allocs:objects.", counter, []string{"/gc/heap/allocs:objects", "/gc/heap/tiny/allocs:objects"}},
	{"go_memstats_mcache_inuse_bytes", "Number of bytes in use by mcache structures. Equals to /memory/classes/metadata/mcache/inuse:bytes.", gauge, []string{"/memory/classes/metadata/mcache/inuse:bytes"}},
	{"go_memstats_mcache_sys_bytes", "Number of bytes used for mcache structures obtained from system. Equals to /memory/classes/metadata/mcache/inuse:bytes + /memory/classes/metadata/mcache/free:bytes.", gauge, []string{"/memory/classes/metadata/mcache/inuse:bytes", "/memory/classes/metadata/mcache/free:bytes"}},
	{"go_memstats_mspan_inuse_bytes", "Number of bytes in use by mspan structures. Equals to /memory/classes/metadata/mspan/inuse:bytes.", gauge, []string{"/memory/classes/metadata/mspan/inuse:bytes"}},
	{"go_memstats_mspan_sys_bytes", "Number of bytes used for mspan structures obtained from system. Equals to /memory/classes/metadata/mspan/inuse:bytes + /memory/classes/metadata/mspan/free:bytes.", gauge, []string{"/memory/classes/metadata/mspan/inuse:bytes", "/memory/classes/metadata/mspan/free:bytes"}},
	{"go_memstats_next_gc_bytes", "Number of heap bytes when next garbage collection will take place. Equals to /gc/heap/goal:bytes.", gauge, []string{"/gc/heap/goal:bytes"}},
	{"go_memstats_other_sys_bytes", "Number of bytes used for other system allocations. Equals to /memory/classes/other:bytes.", gauge, []string{"/memory/classes/other:bytes"}},
	{"go_memstats_stack_inuse_bytes", "Number of bytes obtained from system for stack allocator in non-CGO environments. Equals to /memory/classes/heap/stacks:bytes.", gauge, []string{"/memory/classes/heap/stacks:bytes"}},
	{"go_memstats_stack_sys_bytes", "Number of bytes obtained from system for stack allocator. Equals to /memory/classes/heap/stacks:bytes + /memory/classes/os-stacks:bytes.", gauge, []string{"/memory/classes/heap/stacks:bytes", "/memory/classes/os-stacks:bytes"}},
	{"go_memstats_sys_bytes", "Number of bytes obtained from system. Equals to /memory/classes/total:byte.", gauge, []string{"/memory/classes/total:bytes"}},
	{"go_sched_gomaxprocs_threads", "The current runtime.GOMAXPROCS setting, or the number of operating system threads that can execute user-level Go code simultaneously. Sourced from /sched/gomaxprocs:threads.", gauge, []string{"/sched/gomaxprocs:threads"}},
}

// otherFigures are read in other ways, each its own.
var otherFigures = []figure{
	{"go_goroutines", "Number of goroutines that currently exist.", gauge, nil},
	{"go_memstats_last_gc_time_seconds", "Number of seconds since 1970 of last garbage collection.", gauge, nil},
	{"go_threads", "Number of OS threads created.", gauge, nil},
	{"process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", counter, nil},
	{"process_max_fds", "Maximum number of open file descriptors.", gauge, nil},
	{"process_network_receive_bytes_total", "Number of bytes received by the process over the network.", counter, nil},
	{"process_network_transmit_bytes_total", "Number of bytes sent by the process over the network.", counter, nil},
	{"process_open_fds", "Number of open file descriptors.", gauge, nil},
	{"process_resident_memory_bytes", "Resident memory size in bytes.", gauge, nil},
	{"process_start_time_seconds", "Start time of the process since unix epoch in seconds.", gauge, nil},
	{"process_virtual_memory_bytes", "Virtual memory size in bytes.", gauge, nil},
	{"process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.", gauge, nil},
}

// ownFamilies are go_ and process_.
func ownFamilies() []family {
	version := "{" + pair("version", runtime.Version()) + "}"
	families := []family{
		{"go_info", "Information about the Go environment.", gauge, func(e *encoder, _ *state) { e.sample(1, version) }},
		{"go_gc_duration_seconds", "A summary of the wall-time pause (stop-the-world) duration in garbage collection cycles.", summary, writePauses},
	}
	for _, f := range slices.Concat(goFigures, otherFigures) {
		families = append(families, family{f.name, f.help, f.kind, func(e *encoder, s *state) {
			if value, known := s.own.figures[f.name]; known {
				e.sample(value)
			}
		}})
	}
	return families
}

// writePauses writes the garbage collector's pauses.
func writePauses(e *encoder, s *state) {
	gc := s.own.gc
	for i, quantile := range [...]string{"0", "0.25", "0.5", "0.75", "1"} {
		e.sample(gc.PauseQuantiles[i].Seconds(), `{quantile="`, quantile, `"}`)
	}
	e.sample(gc.PauseTotal.Seconds(), "_sum")
	e.sample(float64(gc.NumGC), "_count")
}

// readOwn asks once for all; nothing in it stops the world.
func readOwn() own {
	o := own{figures: make(map[string]float64), gc: debug.GCStats{PauseQuantiles: make([]time.Duration, 5)}}
	debug.ReadGCStats(&o.gc)
	threads, _ := runtime.ThreadCreateProfile(nil)
	o.figures["go_threads"] = float64(threads)
	o.figures["go_goroutines"] = float64(runtime.NumGoroutine())
	o.figures["go_memstats_last_gc_time_seconds"] = float64(o.gc.LastGC.UnixNano()) / 1e9
	readGo(o.figures)
	readProcess(o.figures)
	return o
}

// readGo reads goFigures.
func readGo(figures map[string]float64) {
	var samples []runtimemetrics.Sample
	for _, f := range goFigures {
		for _, name := range f.sum {
			samples = append(samples, runtimemetrics.Sample{Name: name})
		}
	}
	runtimemetrics.Read(samples) // All at once: then they fit each other.
	for _, f := range goFigures {
		var sum uint64
		known := true
		for _, s := range samples[:len(f.sum)] {
			if s.Value.Kind() != runtimemetrics.KindUint64 { // A later runtime may know it no more.
				known = false
				break
			}
			sum += s.Value.Uint64()
		}
		samples = samples[len(f.sum):]
		if known {
			figures[f.name] = float64(sum)
		}
	}
}

// readProcess reads what the kernel knows of the process; nothing where there is no /proc.
func readProcess(figures map[string]float64) {
	p, err := procfs.Self()
	if err != nil {
		return
	}
	if stat, err := p.Stat(); err == nil {
		figures["process_cpu_seconds_total"] = stat.CPUTime()
		figures["process_virtual_memory_bytes"] = float64(stat.VirtualMemory())
		figures["process_resident_memory_bytes"] = float64(stat.ResidentMemory())
		if start, err := stat.StartTime(); err == nil {
			figures["process_start_time_seconds"] = start
		}
	}
	if n, err := p.FileDescriptorsLen(); err == nil {
		figures["process_open_fds"] = float64(n)
	}
	if limits, err := p.Limits(); err == nil {
		figures["process_max_fds"] = float64(limits.OpenFiles)
		figures["process_virtual_memory_max_bytes"] = float64(limits.AddressSpace)
	}
	if net, err := p.Netstat(); err == nil {
		for name, octets := range map[string]*float64{"process_network_receive_bytes_total": net.InOctets, "process_network_transmit_bytes_total": net.OutOctets} {
			if octets != nil {
				figures[name] = *octets
			}
		}
	}
}
