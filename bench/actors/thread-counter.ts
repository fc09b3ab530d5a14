// The actor of the thread row, in a module of its own.
import { Actor } from 'troupe/actor'

export class FarCounter extends Actor {
  #count = 0
  add(by: number): void {
    this.#count += by
  }
  get(): number {
    return this.#count
  }
}
