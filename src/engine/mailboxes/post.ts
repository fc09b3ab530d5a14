// What goes to and fro between the runs of this node and those who tell and ask them: who listens, and who waits for an answer.
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../store/store.ts'
import type { Changes } from '../watch/changes.ts'
import { Mailboxes } from './mailboxes.ts'
import { Replies } from './replies.ts'

export class Post {
  readonly mailboxes: Mailboxes
  readonly replies: Replies

  constructor({ clock, store }: { readonly clock: Clock; readonly store: Store }, changes: Changes) {
    this.mailboxes = new Mailboxes(clock)
    this.replies = new Replies({ clock, changes, asks: store.asks })
  }

  /** Another process may have written. */
  othersWrote(): void {
    this.mailboxes.othersWrote()
  }

  close(end: Error): void {
    this.replies.close(end)
  }
}
