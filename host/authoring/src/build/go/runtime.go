// Package runtime lends memory to the host, as generated bindings expect it, and to what joins printed text to lines.
//
// It needs no other package, so that it is ready before the plugin's own variables are.
package runtime

import (
	"runtime"
	"unsafe"
)

// lent holds what the host has written into until the bindings have taken it over.
var lent runtime.Pinner

// Unpin ends the loans to the host.
func Unpin() { lent.Unpin() }

// Allocate returns zeroed memory that stays in place until the pinner lets go.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	if align > 8 {
		panic("alignment above 8")
	}
	// Words are aligned for everything that crosses the boundary.
	words := make([]uint64, (size+7)/8)
	memory := unsafe.Pointer(unsafe.SliceData(words))
	pinner.Pin(memory)
	return memory
}

//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if old != nil || oldSize != 0 {
		panic("the host grows no memory")
	}
	return Allocate(&lent, size, align)
}

// lines is where printed text becomes lines: one half for each stream.
var lines [16 << 10]byte

//go:wasmimport wasi_snapshot_preview1 synix_line_buffer
func lineBuffer(buffer unsafe.Pointer, size uint32)

func init() { EndLines() }

// EndLines hands the buffer over; what was printed without a line break so far becomes a line.
func EndLines() { lineBuffer(unsafe.Pointer(&lines), uint32(len(lines))) }
