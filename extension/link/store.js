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

export class Store {
  /** @param {IDBDatabase} database */
  constructor(database) {
    this.database = database;
  }

  /** @returns {Promise<Store>} */
  static async open() {
    const request = indexedDB.open("any", 1);
    request.onupgradeneeded = () => {
      const database = request.result;
      database.createObjectStore("meta"); // name → value
      database.createObjectStore("links", { keyPath: "address" }); // {address, browser, key, acknowledged}
      database.createObjectStore("lines", { keyPath: "n" }); // the black box
      database.createObjectStore("outbox", { keyPath: ["address", "key"] }); // task.finish not yet acknowledged
    };
    return new Store(await answered(request));
  }

  /**
   * @param {string} store
   * @param {IDBTransactionMode} mode
   */
  within(store, mode) {
    return this.database.transaction(store, mode, { durability: "relaxed" }).objectStore(store);
  }

  /** @param {string} store @param {any} key @returns {Promise<any>} */
  get(store, key) {
    return answered(this.within(store, "readonly").get(key));
  }

  /** @param {string} store @param {IDBKeyRange} [range] @param {number} [count] @returns {Promise<any[]>} */
  all(store, range, count) {
    return answered(this.within(store, "readonly").getAll(range, count));
  }

  /** @param {string} store @param {any} value @param {any} [key] @returns {Promise<any>} */
  put(store, value, key) {
    return answered(this.within(store, "readwrite").put(value, key));
  }

  /** @param {string} store @param {any} key @returns {Promise<any>} */
  delete(store, key) {
    return answered(this.within(store, "readwrite").delete(key));
  }
}
