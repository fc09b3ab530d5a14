// Work that is done once, however often it is asked for.

/** Begins with the first call and gives all callers the same promise; after a failure the next call begins anew. */
export function onceDone(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work().catch((error: unknown) => {
      done = undefined
      throw error
    })
    return done
  }
}
