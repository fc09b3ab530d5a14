// The stages of a life. A comparison tells what is still possible; only `life.ts` changes them.

export const alive = 0
/** The door is closed; what was let in is still handled. */
export const draining = 1
/** Mail is let in and waits for the actor to be made anew. */
export const restarting = 2
/** Nothing more is handled. */
export const ending = 3
export const ended = 4
