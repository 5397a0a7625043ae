package host

import "unsafe"

// What is given to the host: it lives until the instance ends, which is soon.
var (
	given     []byte
	givenList []uint32
	result    [8]uint32
)

func give(text string) (at, length uint32) {
	if text == "" {
		return 0, 0
	}
	return uint32(uintptr(unsafe.Pointer(unsafe.StringData(text)))), uint32(len(text))
}

//go:wasmexport wf:workflow/steps@0.1.0#describe
func describe() unsafe.Pointer {
	given = []byte(Describe())
	result[0], result[1] = uint32(uintptr(unsafe.Pointer(unsafe.SliceData(given)))), uint32(len(given))
	return unsafe.Pointer(&result)
}

// Texts that the last invocation has given.
var returned []Event
var failed *Failure

//go:wasmexport wf:workflow/steps@0.1.0#invoke
func invoke(step, stepLength, list, listLength uint32) unsafe.Pointer {
	name, in := text(step, stepLength), events(list, listLength)
	release()
	returned, failed = Invoke(imports{}, name, in)
	clear(result[:])
	if failed != nil {
		result[0] = 1
		result[1], result[2] = give(failed.Kind)
		result[3], result[4] = give(failed.Message)
		result[5], result[6] = give(failed.Details)
		return unsafe.Pointer(&result)
	}
	// One more, so that there is a place also where nothing is given.
	givenList = make([]uint32, 4*len(returned)+1)
	for i, event := range returned {
		givenList[4*i], givenList[4*i+1] = give(event.Name)
		givenList[4*i+2], givenList[4*i+3] = give(event.Payload)
	}
	result[1], result[2] = uint32(uintptr(unsafe.Pointer(&givenList[0]))), uint32(len(returned))
	return unsafe.Pointer(&result)
}
