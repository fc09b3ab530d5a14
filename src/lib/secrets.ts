// Texts that nobody guesses, and what may be kept of them.
import { createHash } from 'node:crypto'

/** What a secret is known by where it must not be kept itself. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
