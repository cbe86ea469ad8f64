/** Runs a critical section when those before it have ended; settles as it does. */
export type Mutex = <T>(section: () => Promise<T>) => Promise<T>;

/** Makes a mutex: first come, first served. */
export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return (section) => {
    const result = last.then(section);
    last = result.catch(() => {});
    return result;
  };
}
