// Package runtime allocates memory for the host, as generated bindings expect it, and the buffer that joins printed
// text to lines.
//
// It imports no package of the plugin, so that it is initialized before the plugin's own variables.
package runtime

import (
	"runtime"
	"unsafe"
)

// hostMemory pins memory that the host has written to, until the bindings have copied it.
var hostMemory runtime.Pinner

// Unpin releases the memory of the host.
func Unpin() { hostMemory.Unpin() }

// Allocate returns zeroed memory that does not move until the pinner releases it.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	if align > 8 {
		panic("alignment above 8")
	}
	// Words of 64 bits are aligned for every type of the contract.
	words := make([]uint64, (size+7)/8)
	memory := unsafe.Pointer(unsafe.SliceData(words))
	pinner.Pin(memory)
	return memory
}

//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if old != nil || oldSize != 0 {
		panic("the host must not resize memory")
	}
	return Allocate(&hostMemory, size, align)
}

// lines is the buffer that joins printed text to lines: one half for each stream.
var lines [16 << 10]byte

//go:wasmimport wasi_snapshot_preview1 synix_line_buffer
func lineBuffer(buffer unsafe.Pointer, size uint32)

func init() { EndLines() }

// EndLines registers the buffer. Text that was printed without a line break so far becomes a line.
func EndLines() { lineBuffer(unsafe.Pointer(&lines), uint32(len(lines))) }
