{{ current_links('crosswalk', 'customer_gid', 'party') }}
