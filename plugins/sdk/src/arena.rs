//! The allocator of a plugin: an arena in the plugin's own memory first, and the allocator of the system after it.
//!
//! Each run of a unit has a fresh instance. If it grows its memory, the host has to change the protection of pages twice,
//! which can take longer than the run itself. A run that needs little memory does not grow it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};

/// One page of WebAssembly, by which the system's allocator would grow the memory at least.
const BYTES: usize = 64 << 10;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: Arena = Arena::new();

/// Memory from which blocks are cut one after the other. Only the last one can be freed or resized.
struct Arena {
    memory: UnsafeCell<[u8; BYTES]>,
    used: Cell<usize>,
}

// SAFETY: a plugin has one thread. Tests keep each arena on theirs.
unsafe impl Sync for Arena {}

impl Arena {
    const fn new() -> Self {
        Self {
            memory: UnsafeCell::new([0; BYTES]),
            used: Cell::new(0),
        }
    }

    fn start(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// Returns where a block starts in the arena; `None`: it is not in the arena.
    fn offset(&self, block: *mut u8) -> Option<usize> {
        let offset = block.addr().wrapping_sub(self.start().addr());
        (offset < BYTES).then_some(offset)
    }
}

// SAFETY: blocks do not overlap, because each begins where the last one ends. A block outside of the arena is from the
// system's allocator, and is returned to it with the same layout.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let free = self.start().addr() + self.used.get();
        let padding = free.next_multiple_of(layout.align()) - free;
        let offset = self.used.get() + padding;
        match offset.checked_add(layout.size()) {
            Some(end) if end <= BYTES => {
                self.used.set(end);
                // SAFETY: the block ends within the arena.
                unsafe { self.start().add(offset) }
            }
            // SAFETY: the caller's layout is passed on.
            Some(_) | None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.offset(block) {
            Some(offset) if offset + layout.size() == self.used.get() => self.used.set(offset),
            Some(_) => {}
            // SAFETY: the system's allocator made the block with this layout.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = self.offset(block) else {
            // SAFETY: the system's allocator made the block with this layout.
            return unsafe { System.realloc(block, layout, size) };
        };
        let is_last = offset + layout.size() == self.used.get();
        if is_last && size <= BYTES - offset {
            self.used.set(offset + size);
            return block;
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: the caller guarantees that `size` is valid for this alignment.
        let larger = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the layout has a size, because it is larger than another one.
        let moved = unsafe { self.alloc(larger) };
        if !moved.is_null() {
            // SAFETY: the new block is larger, and overlaps with no other.
            unsafe { moved.copy_from_nonoverlapping(block, layout.size()) };
            // SAFETY: the block is not used any more.
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block that a test owns, filled with its number.
    struct Block {
        start: *mut u8,
        layout: Layout,
        number: u8,
    }

    fn alloc(arena: &Arena, size: usize, align: usize, number: u8) -> Block {
        let layout = Layout::from_size_align(size, align).unwrap();
        let start = unsafe { arena.alloc(layout) };
        assert!(!start.is_null() && start.addr().is_multiple_of(align));
        unsafe { start.write_bytes(number, size) };
        Block {
            start,
            layout,
            number,
        }
    }

    fn check(block: &Block) {
        let bytes = unsafe { std::slice::from_raw_parts(block.start, block.layout.size()) };
        assert!(bytes.iter().all(|byte| *byte == block.number));
    }

    /// Pseudo-random steps: no block ever changes another one, wherever the blocks are.
    #[test]
    fn blocks_keep_their_contents() {
        for seed in 1..=8_u64 {
            let arena = Arena::new();
            let mut state = seed;
            let mut next = |bound: usize| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                usize::try_from(state >> 33).unwrap() % bound
            };
            let mut blocks: Vec<Block> = Vec::new();
            for number in 0..=u8::MAX {
                let size = [1 + next(40), 1 + next(3000), 1 + next(2 * BYTES)][next(3)];
                match next(4) {
                    0 | 1 => blocks.push(alloc(&arena, size, 1 << next(7), number)),
                    2 if !blocks.is_empty() => {
                        let block = blocks.remove(next(blocks.len()));
                        check(&block);
                        unsafe { arena.dealloc(block.start, block.layout) };
                    }
                    _ if !blocks.is_empty() => {
                        let block = blocks.remove(next(blocks.len()));
                        let start = unsafe { arena.realloc(block.start, block.layout, size) };
                        let kept = size.min(block.layout.size());
                        let align = block.layout.align();
                        check(&Block {
                            start,
                            layout: Layout::from_size_align(kept, align).unwrap(),
                            number: block.number,
                        });
                        let layout = Layout::from_size_align(size, align).unwrap();
                        unsafe { start.write_bytes(number, size) };
                        blocks.push(Block {
                            start,
                            layout,
                            number,
                        });
                    }
                    _ => {}
                }
                blocks.iter().for_each(check);
            }
            for block in blocks {
                unsafe { arena.dealloc(block.start, block.layout) };
            }
        }
    }

    /// A text that grows is the usual last block. If each step took new memory, the arena would soon be full.
    #[test]
    fn the_last_block_grows_and_is_freed_in_place() {
        let arena = Arena::new();
        let first = alloc(&arena, 8, 8, 1);
        let last = alloc(&arena, 8, 8, 2);
        let grown = unsafe { arena.realloc(last.start, last.layout, BYTES - 8) };
        assert_eq!(grown, last.start);
        let grown_layout = Layout::from_size_align(BYTES - 8, 8).unwrap();
        unsafe { arena.dealloc(grown, grown_layout) };
        assert_eq!(arena.used.get(), 8);
        check(&first);
        let full = alloc(&arena, BYTES - 8, 8, 3);
        assert!(arena.offset(full.start).is_some());
        let outside = alloc(&arena, 1, 1, 4);
        assert_eq!(arena.offset(outside.start), None);
        unsafe { arena.dealloc(outside.start, outside.layout) };
        check(&full);
    }
}
