;; The smallest transform: asks the model the text of each input and gives its answer back.
;;
;; A core module for `wasm-tools component embed --world transform wit` and `wasm-tools component new`. Memory: data and
;; areas for results below 4096, what the host hands over above it, never given back.
(module
  (import "synix:plugin/llm@0.1.0" "complete" (func $complete (param i32 i32)))
  (memory (export "memory") 1)

  (data (i32.const 16) "smallest")
  (data (i32.const 24) "0.1.0")
  (data (i32.const 32) "Gives the model's answer to a text")
  (data (i32.const 80) "{\"type\":\"object\",\"additionalProperties\":false}")
  (data (i32.const 128) "llm")
  (data (i32.const 136) "answer")
  (data (i32.const 144) "not text")
  (data (i32.const 192) "refusedthe request was refused")
  ;; The list of capabilities.
  (data (i32.const 160) "\80\00\00\00\03\00\00\00")

  (global $free (mut i32) (i32.const 4096))

  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
    (result i32)
    (local $at i32) (local $pages i32)
    (local.set $at
      (i32.and (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
               (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.set $pages
      (i32.sub (i32.shr_u (i32.add (global.get $free) (i32.const 65535)) (i32.const 16)) (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0))
      (then (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then unreachable))))
    ;; The host moves nothing: what it hands over has its size from the start.
    (if (local.get $old_size) (then unreachable))
    (local.get $at))

  ;; Stores a pointer and a length.
  (func $pair (param $at i32) (param $pointer i32) (param $length i32)
    (i32.store (local.get $at) (local.get $pointer))
    (i32.store offset=4 (local.get $at) (local.get $length)))

  (func (export "describe") (result i32)
    (call $pair (i32.const 256) (i32.const 16) (i32.const 8))
    (call $pair (i32.const 264) (i32.const 24) (i32.const 5))
    (call $pair (i32.const 272) (i32.const 32) (i32.const 34))
    (call $pair (i32.const 280) (i32.const 80) (i32.const 46))
    (call $pair (i32.const 288) (i32.const 160) (i32.const 1))
    (i32.store8 (i32.const 296) (i32.const 0))
    (i32.const 256))

  ;; Not called for the shape per-input.
  (func (export "split") (param i32 i32 i32 i32) (result i32) unreachable)

  ;; A unit of this shape has one input.
  (func (export "execute")
    (param $key i32) (param $key_length i32) (param $positions i32) (param $position_count i32)
    (param $has_config i32) (param $unit_config i32) (param $unit_config_length i32)
    (param $inputs i32) (param $input_count i32) (param $config i32) (param $config_length i32)
    (result i32)
    ;; invalid-input("not text")
    (if (i32.load8_u offset=32 (local.get $inputs))
      (then
        (i32.store8 (i32.const 512) (i32.const 1))
        (i32.store8 (i32.const 516) (i32.const 1))
        (call $pair (i32.const 520) (i32.const 144) (i32.const 8))
        (return (i32.const 512))))
    ;; The request at 600 has one message at 700, which has one part at 720. All else is zero: not set.
    (call $pair (i32.const 600) (i32.const 700) (i32.const 1))
    (i32.store8 (i32.const 700) (i32.const 1))
    (call $pair (i32.const 704) (i32.const 720) (i32.const 1))
    (call $pair (i32.const 724)
      (i32.load offset=36 (local.get $inputs)) (i32.load offset=40 (local.get $inputs)))
    (call $complete (i32.const 600) (i32.const 800))
    ;; other("refused", "the request was refused"): the same on every run.
    (if (i32.load8_u (i32.const 800))
      (then
        (i32.store8 (i32.const 512) (i32.const 1))
        (i32.store8 (i32.const 516) (i32.const 3))
        (call $pair (i32.const 520) (i32.const 192) (i32.const 7))
        (call $pair (i32.const 528) (i32.const 199) (i32.const 23))
        (return (i32.const 512))))
    ;; ok: one output at 900, with the label of the input.
    (i32.store8 (i32.const 512) (i32.const 0))
    (call $pair (i32.const 516) (i32.const 900) (i32.const 1))
    (call $pair (i32.const 900) (i32.load (local.get $inputs)) (i32.load offset=4 (local.get $inputs)))
    (call $pair (i32.const 908) (i32.const 136) (i32.const 6))
    (i32.store8 (i32.const 916) (i32.const 0))
    (call $pair (i32.const 920) (i32.load (i32.const 808)) (i32.load (i32.const 812)))
    (call $pair (i32.const 936) (i32.const 0) (i32.const 0))
    (i32.const 512)))
