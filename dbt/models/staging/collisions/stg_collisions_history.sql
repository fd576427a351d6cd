{{ clean_collisions('collisions_history', 'year') }}
