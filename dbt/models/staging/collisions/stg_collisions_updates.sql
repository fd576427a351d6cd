{{ clean_collisions('collisions_updates', 'day') }}
