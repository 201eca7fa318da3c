;; WASI preview 1 for guests whose compilers insist on it, the same on every run: time stands still, random numbers
;; have a constant seed, arguments and environment are empty, there are no files and no sockets. What is written to
;; standard output and standard error becomes lines of the host's log.
;;
;; Numbers of errors: 8 bad file descriptor, 52 not supported.
(module
  (import "env" "memory" (memory 0))
  (import "synix:plugin/log@0.1.0" "write" (func $log (param $level i32) (param $text i32) (param $size i32)))

  (global $random (mut i64) (i64.const 0x9e3779b97f4a7c15))

  (func $two_zeros (param $first i32) (param $second i32) (result i32)
    (i32.store (local.get $first) (i32.const 0))
    (i32.store (local.get $second) (i32.const 0))
    (i32.const 0))
  (export "args_sizes_get" (func $two_zeros))
  (export "environ_sizes_get" (func $two_zeros))
  (func $nothing (param i32 i32) (result i32) (i32.const 0))
  (export "args_get" (func $nothing))
  (export "environ_get" (func $nothing))

  ;; 2000-01-01T00:00:00Z: a language's runtime may take 0 for a broken clock.
  (func (export "clock_time_get") (param $clock i32) (param $precision i64) (param $time i32) (result i32)
    (i64.store align=1 (local.get $time) (i64.const 946684800000000000))
    (i32.const 0))
  (func (export "clock_res_get") (param $clock i32) (param $resolution i32) (result i32)
    (i64.store align=1 (local.get $resolution) (i64.const 1000000000))
    (i32.const 0))

  ;; xorshift64*, one byte at a time.
  (func (export "random_get") (param $to i32) (param $size i32) (result i32)
    (local $state i64)
    (local.set $state (global.get $random))
    (block $full
      (loop $next
        (br_if $full (i32.eqz (local.get $size)))
        (local.set $state (i64.xor (local.get $state) (i64.shr_u (local.get $state) (i64.const 12))))
        (local.set $state (i64.xor (local.get $state) (i64.shl (local.get $state) (i64.const 25))))
        (local.set $state (i64.xor (local.get $state) (i64.shr_u (local.get $state) (i64.const 27))))
        (i64.store8 (local.get $to)
          (i64.shr_u (i64.mul (local.get $state) (i64.const 0x2545f4914f6cdd1d)) (i64.const 56)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $size (i32.sub (local.get $size) (i32.const 1)))
        (br $next)))
    (global.set $random (local.get $state))
    (i32.const 0))

  ;; Each piece is a line; its line break at the end is cut off, and a piece that is nothing else is left out.
  (func (export "fd_write") (param $fd i32) (param $pieces i32) (param $count i32) (param $written i32) (result i32)
    (local $size i32) (local $total i32) (local $text i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1)) (then (return (i32.const 8))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $text (i32.load (local.get $pieces)))
        (local.set $size (i32.load offset=4 (local.get $pieces)))
        (local.set $total (i32.add (local.get $total) (local.get $size)))
        (if (local.get $size)
          (then
            (if (i32.eq (i32.load8_u (i32.sub (i32.add (local.get $text) (local.get $size)) (i32.const 1))) (i32.const 10))
              (then (local.set $size (i32.sub (local.get $size) (i32.const 1)))))))
        ;; Standard output as `info`, standard error as `warn`.
        (if (local.get $size)
          (then (call $log (i32.add (local.get $fd) (i32.const 1)) (local.get $text) (local.get $size))))
        (local.set $pieces (i32.add (local.get $pieces) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $total))
    (i32.const 0))

  ;; A terminal, which makes a language's runtime write out each line.
  (func (export "fd_fdstat_get") (param $fd i32) (param $stat i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (memory.fill (local.get $stat) (i32.const 0) (i32.const 24))
    (i32.store8 (local.get $stat) (i32.const 2))
    ;; The right to read, or to write.
    (i64.store offset=8 (local.get $stat)
      (select (i64.const 64) (i64.const 2) (local.get $fd)))
    (i32.const 0))
  (func (export "fd_read") (param i32 i32 i32) (param $read i32) (result i32)
    (i32.store (local.get $read) (i32.const 0))
    (i32.const 0))

  (func (export "sched_yield") (result i32) (i32.const 0))
  (func (export "proc_exit") (param i32) unreachable)
  (func (export "proc_raise") (param i32) (result i32) unreachable)

  (func $refuse_2 (param i32 i32) (result i32) (i32.const 8))
  (func $refuse_3 (param i32 i32 i32) (result i32) (i32.const 8))
  (func $refuse_5 (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func $refuse_6 (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (export "fd_fdstat_set_flags" (func $refuse_2))
  (export "fd_filestat_get" (func $refuse_2))
  (export "fd_prestat_get" (func $refuse_2))
  (export "fd_renumber" (func $refuse_2))
  (export "fd_tell" (func $refuse_2))
  (export "sock_shutdown" (func $refuse_2))
  (export "fd_prestat_dir_name" (func $refuse_3))
  (export "path_create_directory" (func $refuse_3))
  (export "path_remove_directory" (func $refuse_3))
  (export "path_unlink_file" (func $refuse_3))
  (export "sock_accept" (func $refuse_3))
  (export "path_filestat_get" (func $refuse_5))
  (export "path_symlink" (func $refuse_5))
  (export "sock_send" (func $refuse_5))
  (export "path_readlink" (func $refuse_6))
  (export "path_rename" (func $refuse_6))
  (export "sock_recv" (func $refuse_6))
  (func $refuse_1 (param i32) (result i32) (i32.const 8))
  (export "fd_close" (func $refuse_1))
  (export "fd_datasync" (func $refuse_1))
  (export "fd_sync" (func $refuse_1))
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func $read_at (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (export "fd_pread" (func $read_at))
  (export "fd_pwrite" (func $read_at))
  (export "fd_readdir" (func $read_at))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 8))
  ;; To wait is refused: time stands still.
  (func (export "poll_oneoff") (param i32 i32 i32 i32) (result i32) (i32.const 52)))
