(module
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))

  ;; Texts that never change. A text is an address and a length.
  (data (i32.const 0) "{\"name\":\"hello\",\"steps\":[{\"name\":\"greet\",\"accepts\":[\"StartEvent\"],\"emits\":[\"StopEvent\"]}]}")
  (data (i32.const 256) "StopEvent")
  (data (i32.const 272) "{\"result\":\"Hello, World!\"}")

  ;; 512: the answer of `describe`, a text.
  (data (i32.const 512) "\00\00\00\00\5a\00\00\00")
  ;; 528: the answer of `invoke`: 0 for well, then a list, its address and how many events it has.
  (data (i32.const 528) "\00\00\00\00\20\02\00\00\01\00\00\00")
  ;; 544: the event of the list: its name, a text, and its payload, another.
  (data (i32.const 544) "\00\01\00\00\09\00\00\00\10\01\00\00\1a\00\00\00")

  (func (export "wf:workflow/steps@0.1.0#describe") (result i32) (i32.const 512))

  ;; The step's name and the list of its events, each an address and a length.
  (func (export "wf:workflow/steps@0.1.0#invoke") (param i32 i32 i32 i32) (result i32) (i32.const 528))

  ;; Where the host puts what it hands in: old address, old size, alignment, new size.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (block $fits
      (loop $grow
        (br_if $fits (i32.le_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
        (unreachable)))
    (local.get $at)))
