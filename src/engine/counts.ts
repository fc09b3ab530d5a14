// What this process counts and no store keeps.

export interface Counts {
  /** Messages that were dropped because their run had sent more than are kept. */
  droppedMessages: number
}
