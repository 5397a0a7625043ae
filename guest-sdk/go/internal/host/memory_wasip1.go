package host

import "unsafe"

// What the host hands in at once has room here: a payload has at most 4 MiB, a whole state 16 MiB. What is never
// touched costs nothing.
var handedIn [24 << 20]byte

// How much of it is in use, and how much of that never ends.
var used, kept uintptr

func init() {
	// Until here the adapter of WASI has asked, for its own stack and state.
	kept = used
}

// The host puts texts into what this gives. Nothing may be imported meanwhile, and Go's collector reads the clock: so it
// gives memory that was there before, and none of Go's.
//
//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	start := (used + uintptr(align) - 1) &^ (uintptr(align) - 1)
	if start+uintptr(size) > uintptr(len(handedIn)) {
		panic("more than 24 MiB were handed in at once")
	}
	used = start + uintptr(size)
	given := unsafe.Pointer(&handedIn[0])
	given = unsafe.Add(given, start)
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(given), size), unsafe.Slice((*byte)(old), oldSize))
	}
	return given
}

// What was handed in is Go's own by now.
func release() { used = kept }

// The place where a call puts its answer: numbers of 32 bits, as the canonical ABI lays them out.
var place [16]uint32

func answer() unsafe.Pointer { return unsafe.Pointer(&place) }

// A text that was handed in, as one of Go's.
func text(at, length uint32) string {
	if length == 0 {
		return ""
	}
	return string(unsafe.Slice((*byte)(unsafe.Pointer(uintptr(at))), length))
}

func events(at, length uint32) []Event {
	all := make([]Event, length)
	for i := range all {
		it := (*[4]uint32)(unsafe.Pointer(uintptr(at) + uintptr(i)*16))
		all[i] = Event{text(it[0], it[1]), text(it[2], it[3])}
	}
	return all
}

func failure(at int) *Failure {
	it := place[at : at+6]
	return &Failure{text(it[0], it[1]), text(it[2], it[3]), text(it[4], it[5])}
}

func is(number uint32) bool { return number&0xff != 0 }
