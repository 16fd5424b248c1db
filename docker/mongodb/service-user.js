// The user that the service works as: it may read and write the service's own database, and nothing else.
// MongoDB's image runs this once, when the volume is empty. README.md has the command for a volume that is not.

if (process.env.MONGODB_USERNAME === process.env.MONGO_INITDB_ROOT_USERNAME) {
  throw new Error("MONGODB_USERNAME and MONGODB_ROOT_USERNAME must differ: the service does not work as root");
}

db.getSiblingDB("admin").createUser({
  user: process.env.MONGODB_USERNAME,
  pwd: process.env.MONGODB_PASSWORD,
  roles: [{ role: "readWrite", db: process.env.MONGODB_DATABASE }],
});
