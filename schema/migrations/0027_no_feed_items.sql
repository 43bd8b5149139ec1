-- Feeds are kept as their departments' answers (0007): no item was ever written here.
DROP TABLE shimin.feed_item;
