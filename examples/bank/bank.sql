-- Accounts, in cents.
create table accounts (id integer primary key, owner text not null, balance integer not null);
insert into accounts values (12345, 'John Doe', 100000), (67890, 'שרה לוי', 40000), (24680, 'Zoë & Söhne', 0);
