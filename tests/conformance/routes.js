const ROUTES = { 'pipelined': false, 'in a call of its own': true };

/** Each check once for every way in which the clients append; it is given the way as a function. */
export function onEachRoute(checks) {
  return Object.fromEntries(Object.entries(checks).flatMap(([name, body]) =>
    Object.entries(ROUTES).map(([route, alone]) => [
      `${name} (${route})`,
      (store) => body(store, (stream, events, expected) => store.append(stream, events, expected, { alone })),
    ])));
}
