// What a bench begins and must end: folders and servers are ended with it, also when it fails or a person interrupts it.
const ends: (() => unknown)[] = []

/** Does `work`, then `end`, which is waited for. When the process exits before that, `end` is called and not waited for. */
export async function endingWith<T>(end: () => unknown, work: () => Promise<T>): Promise<T> {
  if (ends.length === 0) listen()
  ends.push(end)
  try {
    return await work()
  } finally {
    ends.splice(ends.indexOf(end), 1)
    await end()
  }
}

/** Waits on the spot, so that it can be done while the process exits. */
export function waitUntil(isSo: () => boolean, withinMs: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  for (let waited = 0; waited < withinMs && !isSo(); waited += 5) Atomics.wait(cell, 0, 0, 5)
}

let isListening = false

function listen(): void {
  if (isListening) return
  isListening = true
  process.on('exit', () => {
    for (const end of ends.splice(0).reverse()) endAnyway(end)
  })
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
}

/** Of what cannot be ended the rest is ended all the same. */
function endAnyway(end: () => unknown): void {
  try {
    void end()
  } catch (error) {
    console.error(String(error))
  }
}
