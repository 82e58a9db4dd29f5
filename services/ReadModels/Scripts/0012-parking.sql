-- Counts up whenever a stream of the routing key is parked or released, so that a projector whose list of parked
-- streams is out of date finds out in the very statement that moves the position.
alter table read_models.follower_position add parking bigint not null default 0;

-- The event that could not be projected, by which a replay is asked for; null where an older version parked it.
alter table read_models.parked_stream add event_id uuid;
