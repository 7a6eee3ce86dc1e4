/**
 * The extension's database (IndexedDB "any"): what must outlive the offscreen document.
 * @module
 */

/** @param {IDBRequest<any>|IDBOpenDBRequest} request @returns {Promise<any>} */
function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  const request = indexedDB.open("any", 1);
  request.onupgradeneeded = () => {
    const database = request.result;
    database.createObjectStore("meta"); // name → value
    database.createObjectStore("links", { keyPath: "address" }); // {address, browser, key, acknowledged}
    database.createObjectStore("lines", { keyPath: "n" }); // the black box
    database.createObjectStore("outbox", { keyPath: ["address", "key"] }); // task.finish not yet acknowledged
  };
  return answered(request);
}

export class Store {
  /** @param {(error: any) => void} onState told after each failure of the disk, and with null after each change that is kept */
  constructor(onState) {
    this.onState = onState;
    /** @type {Promise<IDBDatabase>|null} */
    this.opening = null;
  }

  /** @returns {Promise<IDBDatabase>} opened anew where that failed, or Chrome has closed it (the disk failed, or somebody cleared its data) */
  database() {
    this.opening ??= openDatabase().then(
      (database) => {
        database.onclose = () => (this.opening = null);
        return database;
      },
      (error) => {
        this.opening = null;
        throw error;
      },
    );
    return this.opening;
  }

  /**
   * @template T
   * @param {string} name
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => T} act asks what is to be asked, at once
   * @returns {Promise<{asked: T, done: Promise<void>}>}
   */
  async begin(name, mode, act) {
    const transaction = (await this.database()).transaction(name, mode, { durability: "relaxed" });
    const done = /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
      })
    );
    done.catch(() => {}); // whoever waits for it hears it
    return { asked: act(transaction.objectStore(name)), done };
  }

  /** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  async reported(work) {
    try {
      return await work();
    } catch (error) {
      this.onState(error);
      throw error;
    }
  }

  /** @param {string} store @param {any} key @returns {Promise<any>} */
  get(store, key) {
    return this.reported(async () => (await this.begin(store, "readonly", (rows) => answered(rows.get(key)))).asked);
  }

  /** @param {string} store @param {IDBKeyRange} [range] @param {number} [count] @returns {Promise<any[]>} */
  all(store, range, count) {
    return this.reported(async () => (await this.begin(store, "readonly", (rows) => answered(rows.getAll(range, count)))).asked);
  }

  /**
   * Changes a store, all of it or nothing.
   * @param {string} store
   * @param {(rows: IDBObjectStore) => void} act
   * @returns {Promise<void>}
   */
  change(store, act) {
    return this.reported(async () => {
      await (await this.begin(store, "readwrite", act)).done;
      this.onState(null);
    });
  }

  /** @param {string} store @param {any} value @param {any} [key] */
  put(store, value, key) {
    return this.change(store, (rows) => void rows.put(value, key));
  }

  /** @param {string} store @param {any} key */
  delete(store, key) {
    return this.change(store, (rows) => void rows.delete(key));
  }
}
