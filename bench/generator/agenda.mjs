// Simulated time: which task goes on next. A task is a generator that yields the seconds it wants to sleep.
// Two heaps, because thousands of deferred messages sleep for hours while a few dozen live for milliseconds:
// the busy heap stays small and in the cache (2x the speed of one heap).

/** What sleeps longer than this is a queue retry; when the file is full these are left where they are. */
const SOON_SECONDS = 5;

class Heap {
  /** @type {number[]} */ times = [];
  /** @type {Iterator<number>[]} */ tasks = [];

  get earliest() {
    return this.times.length > 0 ? this.times[0] : Number.POSITIVE_INFINITY;
  }

  /** @param {number} time @param {Iterator<number>} task */
  push(time, task) {
    const { times, tasks } = this;
    let at = times.length;
    times.push(time);
    tasks.push(task);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (times[parent] <= time) break;
      times[at] = times[parent];
      tasks[at] = tasks[parent];
      at = parent;
    }
    times[at] = time;
    tasks[at] = task;
  }

  pop() {
    const { times, tasks } = this;
    const top = tasks[0];
    const time = /** @type {number} */ (times.pop());
    const task = /** @type {Iterator<number>} */ (tasks.pop());
    const size = times.length;
    if (size === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && times[child + 1] < times[child]) child++;
      if (times[child] >= time) break;
      times[at] = times[child];
      tasks[at] = tasks[child];
      at = child;
    }
    times[at] = time;
    tasks[at] = task;
    return top;
  }
}

export class Agenda {
  #soon = new Heap();
  #later = new Heap();

  /** Microseconds since the epoch. */
  now = 0;

  /**
   * Set when the file is full: no new connections, but what is in motion comes to rest, all but the queue retries. So
   * the file ends with everything that its lines promise (a bounce's child, a forward's parent), and the truth is what
   * a perfect reader finds in it.
   */
  closing = false;

  /** @param {number} startMicros */
  constructor(startMicros) {
    this.now = startMicros;
  }

  /** @param {Iterator<number>} task @param {number} seconds */
  spawn(task, seconds) {
    const heap = seconds < SOON_SECONDS ? this.#soon : this.#later;
    heap.push(this.now + Math.max(1, Math.round(seconds * 1e6)), task);
  }

  /** Does what is next. @returns {boolean} whether there was something to do */
  step() {
    const soon = this.#soon.earliest;
    if (this.closing && soon === Number.POSITIVE_INFINITY) return false;
    this.#step(this.closing || soon <= this.#later.earliest ? this.#soon : this.#later);
    return true;
  }

  /** @param {Heap} heap */
  #step(heap) {
    this.now = heap.earliest;
    const task = heap.pop();
    const { done, value } = task.next();
    if (!done) this.spawn(task, value);
  }
}
