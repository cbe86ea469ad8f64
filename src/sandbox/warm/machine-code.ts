/*
 * The guest's first program as machine code, for those who have no assembler: each line is one instruction, in hex as it
 * lies in memory. Both listings do the same, label for label; see `tape.ts` for what is on a tape. The magic, the
 * address of the buffer and the greatest length are in here as immediates.
 */

/** x86-64, of the System V ABI: call in rax; arguments in rdi, rsi, rdx, r10, r8, r9. */
export const X64_CODE = [
  // _start: r15: the buffer; ebp: bytes read so far; r12d: bytes wanted, at first the header only.
  "41bf00000010", // mov r15d,0x10000000
  "31ed", // xor ebp,ebp
  "6a10", // push 0x10
  "415c", // pop r12
  // more: read(0, buffer + read, wanted - read): never a byte more, since what follows is for the guest.
  "31c0", // xor eax,eax
  "31ff", // xor edi,edi
  "498d342f", // lea rsi,[r15+rbp*1]
  "4489e2", // mov edx,r12d
  "29ea", // sub edx,ebp
  "0f05", // syscall
  "4885c0", // test rax,rax
  "742a", // je eof
  "7824", // js refuse
  "01c5", // add ebp,eax
  "4439e5", // cmp ebp,r12d
  "72e3", // jb more
  "4183fc10", // cmp r12d,0x10
  "752b", // jne run
  "41813f54415045", // cmp DWORD PTR [r15],0x45504154
  "750e", // jne refuse
  "458b6704", // mov r12d,DWORD PTR [r15+0x4]
  "418d4424ef", // lea eax,[r12-0x11]
  "c1e816", // shr eax,0x16
  "74c6", // je more
  // refuse: No tape, too long a one, or one cut short.
  "6a7d", // push 0x7d
  "eb08", // jmp quit
  // eof: At the end of an input without a tape nobody needs this sandbox: 0.
  "4183fc10", // cmp r12d,0x10
  "75f6", // jne refuse
  "6a00", // push 0x0
  // quit:
  "5f", // pop rdi
  "b8e7000000", // mov eax,0xe7
  "0f05", // syscall
  // run: rbx: the record at hand, the first behind the header.
  "498d5f10", // lea rbx,[r15+0x10]
  // next:
  "488b03", // mov rax,QWORD PTR [rbx]
  "488b7b20", // mov rdi,QWORD PTR [rbx+0x20]
  "488b7328", // mov rsi,QWORD PTR [rbx+0x28]
  "488b5330", // mov rdx,QWORD PTR [rbx+0x30]
  "4c8b5338", // mov r10,QWORD PTR [rbx+0x38]
  "4c8b4340", // mov r8,QWORD PTR [rbx+0x40]
  "4c8b4b48", // mov r9,QWORD PTR [rbx+0x48]
  "4885c0", // test rax,rax
  "7810", // js compare
  "0f05", // syscall
  "483d01f0ffff", // cmp rax,0xfffffffffffff001
  "730e", // jae failed
  // ok:
  "488b5b08", // mov rbx,QWORD PTR [rbx+0x8]
  "ebd0", // jmp next
  // compare: A negative call asks whether the last failure had the error number in its first argument.
  "41397f04", // cmp DWORD PTR [r15+0x4],edi
  "74f4", // je ok
  "eb0c", // jmp skip
  // failed: Kept at the head of the buffer: the step of the record, and the error number.
  "f7d8", // neg eax
  "41894704", // mov DWORD PTR [r15+0x4],eax
  "8b4318", // mov eax,DWORD PTR [rbx+0x18]
  "418907", // mov DWORD PTR [r15],eax
  // skip:
  "488b5b10", // mov rbx,QWORD PTR [rbx+0x10]
  "ebb6", // jmp next
].join("");

/** AArch64: call in x8; arguments in x0 to x5. A system call keeps all registers but x0. */
export const ARM64_CODE = [
  // _start: x19: the buffer; x20: bytes read so far; x21: bytes wanted.
  "1300a2d2", // mov x19, #268435456
  "140080d2", // mov x20, #0
  "150280d2", // mov x21, #16
  // more:
  "e80780d2", // mov x8, #63
  "000080d2", // mov x0, #0
  "6102148b", // add x1, x19, x20
  "a20214cb", // sub x2, x21, x20
  "010000d4", // svc #0
  "200200b4", // cbz x0, eof
  "c001f8b7", // tbnz x0, #63, refuse
  "9402008b", // add x20, x20, x0
  "9f0215eb", // cmp x20, x21
  "e3feff54", // b.lo more
  "bf4200f1", // cmp x21, #16
  "e1010054", // b.ne run
  "69564029", // ldp w9, w21, [x19]
  "8a2a8852", // mov w10, #16724
  "0aaaa872", // movk w10, #17744, lsl #16
  "3f010a6b", // cmp w9, w10
  "81000054", // b.ne refuse
  "a9460051", // sub w9, w21, #17
  "297d1653", // lsr w9, w9, #22
  "a9fdff34", // cbz w9, more
  // refuse:
  "a00f80d2", // mov x0, #125
  "03000014", // b quit
  // eof: x0 is 0, the answer of read.
  "bf4200f1", // cmp x21, #16
  "a1ffff54", // b.ne refuse
  // quit:
  "c80b80d2", // mov x8, #94
  "010000d4", // svc #0
  // run: x20: the record at hand.
  "74420091", // add x20, x19, #16
  // next:
  "880240f9", // ldr x8, [x20]
  "800642a9", // ldp x0, x1, [x20, #32]
  "820e43a9", // ldp x2, x3, [x20, #48]
  "841644a9", // ldp x4, x5, [x20, #64]
  "c800f8b7", // tbnz x8, #63, compare
  "010000d4", // svc #0
  "1ffc3fb1", // cmn x0, #4095
  "e2000054", // b.hs failed
  // ok:
  "940640f9", // ldr x20, [x20, #8]
  "f7ffff17", // b next
  // compare:
  "690640b9", // ldr w9, [x19, #4]
  "3f01006b", // cmp w9, w0
  "80ffff54", // b.eq ok
  "04000014", // b skip
  // failed:
  "e903004b", // neg w9, w0
  "8a1a40b9", // ldr w10, [x20, #24]
  "6a260029", // stp w10, w9, [x19]
  // skip:
  "940a40f9", // ldr x20, [x20, #16]
  "eeffff17", // b next
].join("");
