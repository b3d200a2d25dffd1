// Process ids: a server process serves one client after another, and is replaced by a new one now and then.

/** Chance that a process ends after a job. */
const RETIRES = 0.01;

/** @param {import('./random.mjs').Random} random @param {number} first @param {number} max the kernel's pid_max */
export function makePids(random, first, max) {
  let last = first;

  /** A new process. Others in between are not ours. */
  function fork() {
    last += 1 + random.below(3);
    if (last >= max) last = 300 + random.below(50);
    return last;
  }

  /** Idle processes of one service. */
  function makeService() {
    /** @type {number[]} */
    const idle = [];
    return {
      take: () => idle.pop() ?? fork(),
      /** @param {number} pid */
      giveBack(pid) {
        if (!random.chance(RETIRES)) idle.push(pid);
      },
      /** For a job of one line: any of a few that are up. */
      touch() {
        if (idle.length < 6) idle.push(fork());
        const at = random.below(idle.length);
        if (random.chance(RETIRES)) idle[at] = fork();
        return idle[at];
      },
    };
  }

  return { fork, makeService };
}
