// Says that it is ready, then ends as its argument says: with exit code 7 on SIGTERM, or by a signal to itself.
process.on("SIGTERM", () => process.exit(7));
console.log("ready", ...process.argv.slice(2));
if (process.argv[2] === "die") process.kill(process.pid, "SIGKILL");
setInterval(() => {}, 1000);
