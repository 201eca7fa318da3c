;; WASI preview 1 for guests whose compilers require it, the same on every run: the clocks are frozen, random numbers
;; have a constant seed, arguments and environment are empty, there are no files and no sockets. Text that is written to
;; standard output and standard error becomes lines of the host's log.
;;
;; This module has no memory of its own. If the guest passes a buffer to `synix_line_buffer`, each stream is split at its
;; line breaks. Without a buffer, each write is a line.
;;
;; Error numbers: 8 bad file descriptor, 52 not supported.
(module
  (import "env" "memory" (memory 0))
  (import "synix:plugin/log@0.1.1" "write" (func $log (param $level i32) (param $text i32) (param $size i32)))

  (global $random (mut i64) (i64.const 0x9e3779b97f4a7c15))

  ;; The guest's buffer: the first half for standard output, the second for standard error; the bytes in use of each
  ;; half.
  (global $buffer (mut i32) (i32.const 0))
  (global $half (mut i32) (i32.const 0))
  (global $used_out (mut i32) (i32.const 0))
  (global $used_err (mut i32) (i32.const 0))
  ;; Whether standard error has the report of a crash: lines of level `error`, which the host joins to one message.
  (global $crash (mut i32) (i32.const 0))

  ;; How many short waits the guest may still make.
  (global $moments (mut i32) (i32.const 16))

  (func $two_zeros (param $first i32) (param $second i32) (result i32)
    (i32.store (local.get $first) (i32.const 0))
    (i32.store (local.get $second) (i32.const 0))
    (i32.const 0))
  (export "args_sizes_get" (func $two_zeros))
  (export "environ_sizes_get" (func $two_zeros))
  (func $nothing (param i32 i32) (result i32) (i32.const 0))
  (export "args_get" (func $nothing))
  (export "environ_get" (func $nothing))

  ;; 2000-01-01T00:00:00Z, because the runtime of a language may treat 0 as a broken clock.
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

  ;; Registers the buffer, which must not move. Text that was written without a line break so far becomes a line, so a
  ;; guest also calls this at the end of a call.
  (func (export "synix_line_buffer") (param $buffer i32) (param $size i32)
    (call $end)
    (global.set $half (i32.shr_u (local.get $size) (i32.const 1)))
    (global.set $buffer (select (local.get $buffer) (i32.const 0) (global.get $half))))

  (func $start_of (param $fd i32) (result i32)
    (i32.add (global.get $buffer)
      (select (global.get $half) (i32.const 0) (i32.eq (local.get $fd) (i32.const 2)))))
  (func $used (param $fd i32) (result i32)
    (select (global.get $used_err) (global.get $used_out) (i32.eq (local.get $fd) (i32.const 2))))
  (func $set_used (param $fd i32) (param $used i32)
    (if (i32.eq (local.get $fd) (i32.const 2))
      (then (global.set $used_err (local.get $used)))
      (else (global.set $used_out (local.get $used)))))

  ;; Standard output is `info`, standard error `warn`, or `error` in a crash.
  (func $level_of (param $fd i32) (result i32)
    (i32.add (i32.add (local.get $fd) (i32.const 1))
      (i32.and (global.get $crash) (i32.eq (local.get $fd) (i32.const 2)))))

  ;; Ends the incomplete line of each stream.
  (func $end
    (if (global.get $used_out)
      (then (call $end_line (i32.const 1) (call $level_of (i32.const 1)) (global.get $used_out))))
    (if (global.get $used_err)
      (then (call $end_line (i32.const 2) (call $level_of (i32.const 2)) (global.get $used_err))))
    (global.set $crash (i32.const 0)))

  ;; Logs the text of a stream, without line breaks at its end.
  (func $end_line (param $fd i32) (param $level i32) (param $size i32)
    (local $text i32) (local $last i32)
    (local.set $text (call $start_of (local.get $fd)))
    (block $trimmed
      (loop $trim
        (br_if $trimmed (i32.eqz (local.get $size)))
        (local.set $last (i32.load8_u (i32.sub (i32.add (local.get $text) (local.get $size)) (i32.const 1))))
        (br_if $trimmed
          (i32.and (i32.ne (local.get $last) (i32.const 10)) (i32.ne (local.get $last) (i32.const 13))))
        (local.set $size (i32.sub (local.get $size) (i32.const 1)))
        (br $trim)))
    (call $clean (local.get $text) (local.get $size))
    (call $log (local.get $level) (local.get $text) (local.get $size))
    (call $set_used (local.get $fd) (i32.const 0)))

  ;; Replaces each byte that is not valid UTF-8 with `?`, because the host traps a guest that passes such a text.
  (func $clean (param $at i32) (param $size i32)
    (local $end i32) (local $lead i32) (local $more i32) (local $byte i32)
    (local $least i32) (local $most i32) (local $next i32)
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (block $done
      (loop $character
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $lead (i32.load8_u (local.get $at)))
        (local.set $next (i32.add (local.get $at) (i32.const 1)))
        (if (i32.ge_u (local.get $lead) (i32.const 0x80))
          (then
            (block $good
              (block $bad
                (br_if $bad (i32.lt_u (local.get $lead) (i32.const 0xc2)))
                (br_if $bad (i32.gt_u (local.get $lead) (i32.const 0xf4)))
                (local.set $more
                  (i32.add (i32.const 1)
                    (i32.add (i32.ge_u (local.get $lead) (i32.const 0xe0))
                      (i32.ge_u (local.get $lead) (i32.const 0xf0)))))
                (br_if $bad (i32.gt_u (i32.add (local.get $next) (local.get $more)) (local.get $end)))
                ;; The second byte excludes overlong forms, surrogates, and code points above U+10FFFF.
                (local.set $least
                  (select (i32.const 0xa0)
                    (select (i32.const 0x90) (i32.const 0x80) (i32.eq (local.get $lead) (i32.const 0xf0)))
                    (i32.eq (local.get $lead) (i32.const 0xe0))))
                (local.set $most
                  (select (i32.const 0x9f)
                    (select (i32.const 0x8f) (i32.const 0xbf) (i32.eq (local.get $lead) (i32.const 0xf4)))
                    (i32.eq (local.get $lead) (i32.const 0xed))))
                (loop $follower
                  (local.set $byte (i32.load8_u (local.get $next)))
                  (br_if $bad (i32.lt_u (local.get $byte) (local.get $least)))
                  (br_if $bad (i32.gt_u (local.get $byte) (local.get $most)))
                  (local.set $least (i32.const 0x80))
                  (local.set $most (i32.const 0xbf))
                  (local.set $next (i32.add (local.get $next) (i32.const 1)))
                  (local.set $more (i32.sub (local.get $more) (i32.const 1)))
                  (br_if $follower (local.get $more)))
                (br $good))
              (i32.store8 (local.get $at) (i32.const 63))
              (local.set $next (i32.add (local.get $at) (i32.const 1))))))
        (local.set $at (local.get $next))
        (br $character))))

  ;; Returns whether a write is the start of a crash report of Go's runtime: it writes only `panic: ` or `fatal error: `,
  ;; and then the rest. A program that prints such a line writes the whole line at once.
  (func $begins_crash (param $text i32) (param $size i32) (result i32)
    (if (i32.eq (local.get $size) (i32.const 7))
      (then
        (return
          (i32.and
            (i32.eq (i32.load align=1 (local.get $text)) (i32.const 0x696e6170)) ;; "pani"
            (i32.eq (i32.load offset=3 align=1 (local.get $text)) (i32.const 0x203a6369)))))) ;; "ic: "
    (if (i32.eq (local.get $size) (i32.const 13))
      (then
        (return
          (i32.and
            (i64.eq (i64.load align=1 (local.get $text)) (i64.const 0x7265206c61746166)) ;; "fatal er"
            (i64.eq (i64.load offset=5 align=1 (local.get $text)) (i64.const 0x203a726f72726520)))))) ;; " error: "
    (i32.const 0))

  ;; Adds a write to a stream. Text that does not fit into the buffer is dropped up to the end of the line.
  (func $add (param $fd i32) (param $text i32) (param $size i32)
    (local $byte i32) (local $used i32)
    (if (i32.and (i32.eq (local.get $fd) (i32.const 2)) (i32.eqz (global.get $crash)))
      (then
        (if (call $begins_crash (local.get $text) (local.get $size))
          (then
            (call $end)
            (global.set $crash (i32.const 1))))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $size)))
        (local.set $byte (i32.load8_u (local.get $text)))
        (local.set $used (call $used (local.get $fd)))
        (if (i32.eq (local.get $byte) (i32.const 10))
          (then (call $end_line (local.get $fd) (call $level_of (local.get $fd)) (local.get $used)))
          (else
            (if (i32.lt_u (local.get $used) (global.get $half))
              (then
                (i32.store8 (i32.add (call $start_of (local.get $fd)) (local.get $used)) (local.get $byte))
                (call $set_used (local.get $fd) (i32.add (local.get $used) (i32.const 1)))))))
        (local.set $text (i32.add (local.get $text) (i32.const 1)))
        (local.set $size (i32.sub (local.get $size) (i32.const 1)))
        (br $next))))

  ;; Standard output as `info`, standard error as `warn`. Without a buffer, each write is a line. Line breaks at its end
  ;; are removed, and empty lines are skipped.
  (func (export "fd_write") (param $fd i32) (param $pieces i32) (param $count i32) (param $written i32) (result i32)
    (local $size i32) (local $total i32) (local $text i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1)) (then (return (i32.const 8))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $text (i32.load (local.get $pieces)))
        (local.set $size (i32.load offset=4 (local.get $pieces)))
        (local.set $total (i32.add (local.get $total) (local.get $size)))
        (if (global.get $buffer)
          (then (call $add (local.get $fd) (local.get $text) (local.get $size)))
          (else
            (if (local.get $size)
              (then
                (if (i32.eq (i32.load8_u (i32.sub (i32.add (local.get $text) (local.get $size)) (i32.const 1))) (i32.const 10))
                  (then (local.set $size (i32.sub (local.get $size) (i32.const 1)))))))
            (if (local.get $size)
              (then (call $log (i32.add (local.get $fd) (i32.const 1)) (local.get $text) (local.get $size))))))
        (local.set $pieces (i32.add (local.get $pieces) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $total))
    (i32.const 0))

  ;; A terminal, which makes the runtime of a language flush each line.
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
  (func (export "proc_exit") (param i32)
    (call $end)
    unreachable)
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
  ;; Waits are refused because the clocks are frozen. But Go's runtime waits briefly before it reports a crash, so the
  ;; first few waits for a clock of at most a millisecond return at once.
  (func (export "poll_oneoff") (param $waits i32) (param $events i32) (param $count i32) (param $happened i32) (result i32)
    (if (i32.ne (local.get $count) (i32.const 1)) (then (return (i32.const 52))))
    (if (i32.load8_u offset=8 (local.get $waits)) (then (return (i32.const 52))))
    (if (i64.gt_u (i64.load offset=24 align=1 (local.get $waits)) (i64.const 1000000)) (then (return (i32.const 52))))
    (if (i32.eqz (global.get $moments)) (then (return (i32.const 52))))
    (global.set $moments (i32.sub (global.get $moments) (i32.const 1)))
    (memory.fill (local.get $events) (i32.const 0) (i32.const 32))
    (i64.store align=1 (local.get $events) (i64.load align=1 (local.get $waits)))
    (i32.store align=1 (local.get $happened) (i32.const 1))
    (i32.const 0)))
