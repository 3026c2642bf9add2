// One connection to the live feed. One that is lost is made anew after the last message that was seen, so that nothing is
// missed.
const LONGEST_PAUSE_SECONDS = 30;
const ENDED = [4401, 4403];

export function connectLive({ take, lost, ended }) {
  let lastId = null;
  let pauseSeconds = 1;

  function connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const query = lastId === null ? "" : `?last_id=${encodeURIComponent(lastId)}`;
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/admin/live${query}`);
    socket.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      pauseSeconds = 1;
      lastId = message.id;
      take(message);
    });
    socket.addEventListener("close", (event) => {
      if (ENDED.includes(event.code)) { ended(); return; }
      lost(pauseSeconds);
      setTimeout(connect, pauseSeconds * 1000);
      pauseSeconds = Math.min(LONGEST_PAUSE_SECONDS, pauseSeconds * 2);
    });
  }

  connect();
}
