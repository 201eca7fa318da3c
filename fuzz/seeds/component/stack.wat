(module
  (memory (export "memory") 1)
  (func $deep (export "describe") (result i32) (call $deep))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (memory.grow (i32.const 60000)))
  (func (export "split") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "execute") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable))
