/** Something that set-up needs and cannot get. The message is one sentence that says what to install or do. */
export class SetupError extends Error {
  override readonly name = "SetupError";
}
