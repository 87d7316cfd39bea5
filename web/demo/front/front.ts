// The front page: begins the torture and shows what became of it.
export {};
